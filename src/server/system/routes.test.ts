import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EventMessage, SystemInfo } from '../../api/index.ts'
import type { EventsOptions } from '../../contract/index.ts'
import { startTestApi } from '../testing/fake-backends.ts'

test('ping has the headers that clients negotiate by', async () => {
  let greeted = 0
  const greet = () => {
    greeted += 1
  }
  await using api = await startTestApi({ system: { greet } })
  const get = await api.request('GET', '/_ping')
  const head = await api.request('HEAD', '/_ping')
  assert.deepEqual([get.body, head.body], ['OK', ''])
  // The form that command lines begin with.
  assert.equal(greeted, 1)
  for (const { status, headers } of [get, head]) {
    assert.equal(status, 200)
    assert.equal(headers['builder-version'], '2')
    assert.equal(headers.swarm, 'inactive')
    assert.equal(headers['cache-control'], 'no-cache, no-store, must-revalidate')
    assert.equal(headers.pragma, 'no-cache')
    assert.equal(headers['content-type'], 'text/plain; charset=utf-8')
  }
})

const start: EventMessage = {
  Type: 'container',
  Action: 'start',
  Actor: { ID: 'abc', Attributes: { image: 'busybox', name: 'n' } },
  scope: 'local',
  time: 1_700_000_000,
  timeNano: 1_700_000_000_123_456_789n,
}

test('events are JSON lines with exact times and the members of old API versions', async () => {
  const seen: EventsOptions[] = []
  await using api = await startTestApi({
    system: {
      events: async function* (options) {
        seen.push(options)
        yield start
        yield { ...start, Type: 'network', Action: 'connect' }
      },
    },
  })
  const filters = encodeURIComponent('{"type":{"container":true}}')
  const answer = await api.request('GET', `/events?since=1700000000&until=1700000001.5&filters=${filters}`)
  const [first = '', second = ''] = answer.body.split('\r\n')
  assert.ok(first.startsWith('{"status":"start","id":"abc","from":"busybox","Type":"container",'), first)
  assert.ok(first.endsWith('"time":1700000000,"timeNano":1700000000123456789}'), first)
  assert.ok(second.startsWith('{"Type":"network",'), second)
  assert.deepEqual(seen, [
    {
      sinceNs: 1_700_000_000_000_000_000n,
      untilNs: 1_700_000_001_500_000_000n,
      filters: { type: ['container'] },
    },
  ])
  assert.equal((await api.request('GET', '/events?since=5&until=4')).status, 400)
})

test('info has short security options and removed members for the oldest clients', async () => {
  const info = { SecurityOptions: ['name=seccomp,profile=builtin', 'name=cgroupns'] } as unknown as SystemInfo
  await using api = await startTestApi({ system: { info: async () => info } })
  assert.deepEqual((await api.request('GET', '/info')).json(), info)
  const old = (await api.request('GET', '/v1.24/info')).json() as Record<string, unknown>
  assert.deepEqual(old.SecurityOptions, ['seccomp', 'cgroupns'])
  assert.deepEqual([old.KernelMemory, old.BridgeNfIptables, old.BridgeNfIp6tables], [false, false, false])
})

test('df passes the requested types to the engine', async () => {
  const seen: unknown[] = []
  await using api = await startTestApi({
    system: {
      diskUsage: async (types) => {
        seen.push([...types])
        return { LayersSize: 0, Images: null, Containers: null, Volumes: null, BuildCache: null }
      },
    },
  })
  assert.equal((await api.request('GET', '/system/df?type=image&type=volume')).status, 200)
  assert.equal((await api.request('GET', '/system/df')).status, 200)
  assert.equal((await api.request('GET', '/system/df?type=x')).status, 400)
  assert.deepEqual(seen, [
    ['image', 'volume'],
    ['container', 'image', 'volume', 'build-cache'],
  ])
  assert.deepEqual((await api.request('GET', '/plugins')).json(), [])
})
