import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { conflict, KeyedMutex, type LogFields, nullLogger } from '../../base/index.ts'
import { EventBus } from '../../events/index.ts'
import { LiveContainers } from '../live/live.ts'
import { hostClock } from '../ports/clock.ts'
import { type ContainerRecord, withState } from '../record/container-record.ts'
import type { ContainerContext } from '../record/dependencies.ts'
import { restartContainer, stopForShutdown } from './stop.ts'

test('stopForShutdown() tries every container and limits the wait for one that does not end', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const engine = fakeEngine(['stuck', 'well', 'refused'])
  // The process of this container has ended, but no exit is reported.
  engine.onKill.set('stuck', () => {
    throw conflict('container stuck is not running')
  })
  engine.onKill.set('well', () => engine.end('well'))
  engine.onKill.set('refused', () => {
    throw new Error('operation not permitted')
  })
  const stopping = stopForShutdown(engine.context, 5)
  const outcome = stopping.then(
    () => undefined,
    (error: unknown) => error,
  )
  await nextTurn()
  t.mock.timers.tick(24_999)
  await nextTurn()
  assert.equal(engine.logged.length, 1)
  t.mock.timers.tick(1)
  const error = await outcome
  assert.ok(error instanceof AggregateError)
  assert.deepEqual(
    error.errors.map(({ message }) => message),
    ['cannot stop container: stuck: not stopped in time', 'operation not permitted'],
  )
  assert.deepEqual(
    engine.logged.map(({ container }) => container),
    ['refused', 'stuck'],
  )
  const states = engine.context.containers
    .all()
    .map(({ id, state, stoppedByUser }) => [id, state.status, stoppedByUser])
  assert.deepEqual(states, [
    ['stuck', 'running', false],
    ['well', 'exited', false],
    ['refused', 'running', false],
  ])
})

test('restartContainer() publishes no stop event for a container that was removed in the meantime', async () => {
  const { context, save, remove } = fakeEngine(['gone'])
  save(withState(context.containers.get('gone'), { status: 'restarting' }))
  const told: string[] = []
  context.events.subscribe(({ Action }) => told.push(Action))
  const removal = context.locks.run('gone', async () => {
    await nextTurn()
    remove('gone')
  })
  await assert.rejects(restartContainer(context, 'gone', {}))
  await removal
  assert.deepEqual(told, [])
})

/** The parts of an engine that `stop` uses, with running containers of these ids. */
function fakeEngine(ids: readonly string[]) {
  const records = new Map(ids.map((id) => [id, runningRecord(id)]))
  const live = new LiveContainers()
  const onKill = new Map<string, () => void>()
  const logged: LogFields[] = []
  const get = (id: string): ContainerRecord => {
    const record = records.get(id)
    assert.ok(record !== undefined)
    return record
  }
  const save = (record: ContainerRecord): void => {
    records.set(record.id, record)
  }
  const context = {
    containers: { all: () => [...records.values()], get, find: (id: string) => records.get(id), save },
    live,
    locks: new KeyedMutex(),
    clock: hostClock,
    events: new EventBus(),
    runtime: { get: (id: string) => ({ kill: () => onKill.get(id)?.() }) },
    logger: { ...nullLogger, error: (_message: string, fields: LogFields = {}) => logged.push(fields) },
  } as unknown as ContainerContext
  const end = (id: string): void => {
    save(withState(get(id), { status: 'exited' }))
    live.of(id).tellExit({ exitCode: 0 }, true)
  }
  return { context, onKill, logged, end, save, remove: (id: string) => records.delete(id) }
}

function runningRecord(id: string): ContainerRecord {
  return {
    id,
    name: id,
    config: {},
    image: { reference: 'busybox' },
    state: { status: 'running' },
    stoppedByUser: false,
  } as ContainerRecord
}
