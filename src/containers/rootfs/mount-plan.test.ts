import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseBind, planMounts } from './mount-plan.ts'

test('parseBind() tells host paths, named and anonymous volumes apart', () => {
  const bind = parseBind('/host/dir/:/data:ro')
  assert.equal(bind.type, 'bind')
  assert.equal(bind.source, '/host/dir')
  assert.equal(bind.readOnly, true)
  const named = parseBind('cache:/var/cache/')
  assert.equal(named.name, 'cache')
  assert.equal(named.destination, '/var/cache')
  assert.equal(named.copyUp, true)
  const anonymous = parseBind('/data')
  assert.equal(anonymous.anonymous, true)
  assert.match(anonymous.name ?? '', /^[0-9a-f]{64}$/)
})

test('parseBind() refuses texts that are not volumes', () => {
  for (const text of [
    'a:b:c:d',
    '/a:',
    '/x:ro',
    '/a:/b:wrong',
    '/a:/b:z,Z',
    '/a:/b:nocopy',
    'name:/b:rshared',
    '/a:/',
    '/a:b',
    '',
  ]) {
    assert.throws(() => parseBind(text), /invalid|only/, text)
  }
})

test("planMounts() resolves an image's relative volume from the root", () => {
  const plan = planMounts({ Volumes: { data: {}, './log/': {} } }, {})
  assert.deepEqual(
    plan.map(({ destination }) => destination),
    ['/data', '/log'],
  )
})

test('planMounts() puts parents first, prefers -v to VOLUME, and refuses duplicate destinations', () => {
  const plan = planMounts(
    { Volumes: { '/data': {}, '/data/inner/deep': {} } },
    { Binds: ['/srv:/data'], Tmpfs: { '/run': 'size=1m,mode=755' } },
  )
  assert.deepEqual(
    plan.map((mount) => [mount.type, mount.destination]),
    [
      ['bind', '/data'],
      ['tmpfs', '/run'],
      ['volume', '/data/inner/deep'],
    ],
  )
  assert.throws(() => planMounts({}, { Binds: ['/a:/x', '/b:/x'] }), /Duplicate mount point: \/x/)
  assert.throws(() => planMounts({}, { Mounts: [{ Type: 'bind', Target: '/x' }] }), /Source must not be empty/)
  assert.throws(() => planMounts({}, { Mounts: [{ Type: 'image', Target: '/x' }] }), /Source must not be empty/)
  assert.throws(() => planMounts({}, { Mounts: [{ Type: 'npipe', Source: 'a', Target: '/x' }] }), /npipe/)
})
