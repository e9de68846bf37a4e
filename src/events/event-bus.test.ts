import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nowNs } from '../base/index.ts'
import { EventBus, matchesEvent } from './index.ts'

test('EventBus.stream() yields history from since on, then live events, and ends at until', async () => {
  const bus = new EventBus()
  bus.publish('container', 'create', 'a'.repeat(64), { name: 'one' })
  const untilNs = nowNs() + 200_000_000n
  const stream = bus.stream({ sinceNs: 0n, untilNs })
  bus.publish('container', 'start', 'a'.repeat(64), { name: 'one' })
  const actions: string[] = []
  for await (const event of stream) actions.push(event.Action)
  assert.deepEqual(actions, ['create', 'start'])
  assert.equal(bus.streamCount, 0)
})

test('EventBus.stream() ends when its signal fires', async () => {
  const bus = new EventBus()
  const abort = new AbortController()
  const stream = bus.stream({}, abort.signal)
  setImmediate(() => abort.abort())
  for await (const event of stream) assert.fail(`unexpected ${event.Action}`)
  assert.equal(bus.streamCount, 0)
})

test('matchesEvent() filters by type, event, container, image and label', () => {
  const bus = new EventBus()
  bus.publish('container', 'exec_create: sh', 'c'.repeat(64), { name: 'web', image: 'busybox:latest', tier: 'front' })
  const [event] = bus.since(0n)
  assert.ok(event)
  const yes: Record<string, string[]>[] = [
    {},
    { type: ['image', 'container'] },
    { event: ['exec_create'] },
    { container: ['web'] },
    { container: ['cccc'] },
    { image: ['busybox'] },
    { label: ['tier'] },
    { label: ['tier=front'], type: ['container'] },
  ]
  for (const filters of yes) assert.equal(matchesEvent(event, filters), true, JSON.stringify(filters))
  const no: Record<string, string[]>[] = [
    { type: ['image'] },
    { event: ['die'] },
    { label: ['tier=back'] },
    { image: ['alpine'] },
  ]
  for (const filters of no) assert.equal(matchesEvent(event, filters), false, JSON.stringify(filters))
})
