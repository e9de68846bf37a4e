import assert from 'node:assert/strict'
import { test } from 'node:test'
import { notFound } from '../../base/index.ts'
import { startTestApi } from '../testing/fake-backends.ts'

test('exec create passes its configuration to the engine', async () => {
  const seen: unknown[] = []
  await using api = await startTestApi({
    exec: {
      create: async (...call) => {
        seen.push(call)
        return { Id: 'e1' }
      },
    },
  })
  const answer = await api.request('POST', '/containers/x/exec', { json: { Cmd: ['ls'], tty: true, Env: null } })
  assert.deepEqual([answer.status, answer.json()], [201, { Id: 'e1' }])
  assert.deepEqual(seen, [['x', { Cmd: ['ls'], Tty: true }]])
  for (const json of [{}, { Cmd: [] }, { Cmd: null }]) {
    const refused = await api.request('POST', '/containers/x/exec', { json })
    assert.deepEqual([refused.status, refused.json()], [400, { message: 'No exec command specified' }])
  }
})

test('exec start detached answers without taking the connection', async () => {
  const seen: unknown[] = []
  await using api = await startTestApi({
    exec: {
      start: async (...call) => {
        seen.push(call)
        return { tty: false, run: () => Promise.reject(new Error('not to be called')) }
      },
    },
  })
  const answer = await api.request('POST', '/exec/e1/start', { json: { Detach: true } })
  assert.deepEqual([answer.status, answer.body], [200, ''])
  assert.deepEqual(seen, [['e1', { detach: true, tty: false, consoleSize: undefined }]])
})

test('exec start without an upgrade sends output until the connection ends', async () => {
  await using api = await startTestApi({
    exec: {
      start: async (_id, { tty, consoleSize }) => ({
        tty,
        run: async ({ sink }) => void sink.write('stdout', Buffer.from(JSON.stringify(consoleSize))),
      }),
    },
  })
  const answer = await api.request('POST', '/exec/e1/start', { json: { Tty: true, ConsoleSize: [24, 80] } })
  assert.deepEqual([answer.status, answer.body], [200, '{"height":24,"width":80}'])
  assert.equal(answer.headers['content-type'], 'application/vnd.docker.raw-stream')
})

test('exec start answers early errors with a status', async () => {
  const missing = () => Promise.reject(notFound('No such exec instance: e1'))
  await using api = await startTestApi({ exec: { start: missing, inspect: missing, resize: missing } })
  const headers = { Connection: 'Upgrade', Upgrade: 'tcp' }
  const start = await api.request('POST', '/exec/e1/start', { json: {}, headers })
  assert.deepEqual([start.status, start.json()], [404, { message: 'No such exec instance: e1' }])
  assert.equal((await api.request('GET', '/exec/e1/json')).status, 404)
  assert.equal((await api.request('POST', '/exec/e1/resize?h=1&w=1')).status, 404)
  assert.equal((await api.request('POST', '/exec/e1/resize?h=1')).status, 400)
})
