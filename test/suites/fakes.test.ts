/** The fakes of the tests pass the suites of the parts that they replace. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { newId } from '../../src/base/index.ts'
import type { BuiltSpec } from '../../src/runtime/index.ts'
import { FakeHost, Life } from '../fakes/fake-host.ts'
import { fakeNetwork, fakeNetworks } from '../fakes/fake-networks.ts'
import { fakeRecordTable } from '../fakes/fake-ports.ts'
import { FakeRuntime } from '../fakes/fake-runtime.ts'
import { FakeSnapshotter } from '../fakes/fake-snapshotter.ts'
import { Scheduler } from '../fakes/scheduler.ts'
import { clockSuite } from './clock.ts'
import { containerRuntimeSuite } from './container-runtime.ts'
import { containerSandboxesSuite } from './container-sandboxes.ts'
import { recordTableSuite } from './record-table.ts'
import { snapshotterSuite } from './snapshotter.ts'

const roots: string[] = []
after(() => {
  for (const root of roots) rmSync(root, { recursive: true, force: true })
})

function openLife(): { readonly life: Life; teardown(): Promise<void> } {
  const root = mkdtempSync(join(tmpdir(), 'bt-fake-'))
  roots.push(root)
  return { life: new Life(new FakeHost(root)), teardown: async () => rmSync(root, { recursive: true, force: true }) }
}

containerRuntimeSuite('FakeRuntime', async () => {
  const { life, teardown } = openLife()
  return {
    runtime: new FakeRuntime(life),
    options: () => ({ id: newId(), spec: {} as BuiltSpec, stdin: false, logPath: undefined }),
    exec: () => ({ process: {} as never, stdin: false }),
    reopen: async () => new FakeRuntime(new Life(life.host)),
    teardown,
  }
})

snapshotterSuite('FakeSnapshotter', async () => {
  const { life, teardown } = openLife()
  return { snapshotter: new FakeSnapshotter(life), teardown }
})

containerSandboxesSuite('fakeNetworks', async () => {
  const { life, teardown } = openLife()
  const networks = ['one', 'two'].map(fakeNetwork)
  return {
    networks: fakeNetworks(life, { networks, sandboxes: new Map() }),
    names: ['one', 'two'] as const,
    newId: async () => newId(),
    teardown,
  }
})

recordTableSuite('fakeRecordTable', () => fakeRecordTable(openLife().life))

clockSuite('Scheduler.clock()', () => {
  const scheduler = new Scheduler()
  return { clock: scheduler.clock({ dead: false }), pass: () => scheduler.run(() => 0) }
})

test('Life: operations of a killed daemon have no effect', async () => {
  const { life, teardown } = openLife()
  life.host.killBefore = 1
  assert.equal(await life.step('first', () => 1), 1)
  let isDone = false
  void life.step('second', () => {
    isDone = true
  })
  await new Promise(setImmediate)
  assert.equal(isDone, false)
  assert.throws(() => life.effect(() => {}))
  await teardown()
})
