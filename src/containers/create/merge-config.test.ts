import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commandOf, mergeConfig } from './merge-config.ts'

const image = {
  User: 'web',
  Env: ['PATH=/bin', 'MODE=image'],
  Cmd: ['serve'],
  Entrypoint: ['/entry'],
  WorkingDir: '/srv',
  Labels: { a: 'image', b: 'image' },
  ExposedPorts: { '80/tcp': {} },
  Volumes: { '/data': {} },
  StopSignal: 'SIGQUIT',
}

test('mergeConfig() fills in what the user leaves out from the image', () => {
  const merged = mergeConfig({}, image)
  assert.partialDeepStrictEqual(merged, { ...image, OnBuild: null })
  assert.deepEqual(commandOf(merged), { path: '/entry', args: ['serve'] })
})

test("mergeConfig() prefers the user's variables, labels, ports, user and signal", () => {
  const merged = mergeConfig(
    {
      User: '1',
      Env: ['MODE=user', 'EMPTY'],
      Labels: { b: 'user' },
      ExposedPorts: { '81/tcp': {} },
      StopSignal: 'INT',
    },
    image,
  )
  assert.equal(merged.User, '1')
  assert.deepEqual(merged.Env, ['MODE=user', 'EMPTY', 'PATH=/bin'])
  assert.deepEqual(merged.Labels, { a: 'image', b: 'user' })
  assert.deepEqual(Object.keys(merged.ExposedPorts ?? {}), ['80/tcp', '81/tcp'])
  assert.equal(merged.StopSignal, 'INT')
})

test("mergeConfig(): the user's entrypoint drops the image's command, an empty one only the entrypoint", () => {
  assert.deepEqual(commandOf(mergeConfig({ Entrypoint: ['/own'] }, image)), { path: '/own', args: [] })
  assert.deepEqual(commandOf(mergeConfig({ Cmd: ['other'] }, image)), { path: '/entry', args: ['other'] })
  assert.deepEqual(commandOf(mergeConfig({ Entrypoint: [''], Cmd: ['sh'] }, image)), { path: 'sh', args: [] })
})

test('commandOf() refuses a configuration without a program', () => {
  assert.throws(() => commandOf(mergeConfig({}, {})), /no command specified/)
})

test('commandOf() refuses a program whose path the kernel would refuse', () => {
  const message = 'the path of the command is too long: it has 100000 bytes, at most 4095'
  assert.throws(() => commandOf(mergeConfig({ Cmd: ['x'.repeat(100_000)] }, {})), { kind: 'invalidArgument', message })
  assert.equal(commandOf(mergeConfig({ Cmd: ['sh', 'x'.repeat(100_000)] }, {})).args[0]?.length, 100_000)
})
