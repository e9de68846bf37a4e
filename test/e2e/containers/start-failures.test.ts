/** A start that fails after its program began to run: the daemon ends the program, the record has the error, and the
 *  next start works. Each test makes one method of the engine fail for one call. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { after, before, describe, type TestContext, test } from 'node:test'
import { ContainerIndex, type ContainerIndex as Containers } from '../../../src/containers/index.ts'
import { LinkPermits } from '../../../src/network/sandbox/link-permits.ts'
import { RunningContainer } from '../../../src/runtime/index.ts'
import { TestEngine } from '../../helpers/daemons/engine.ts'
import { until } from '../../helpers/wait.ts'

interface Inspected {
  readonly State: {
    readonly Status: string
    readonly Running: boolean
    readonly Error: string
    readonly ExitCode: number
  }
}

/** Makes saves of the matching records fail, until the returned function is called. */
function failSave(t: TestContext, fits: (record: Parameters<Containers['save']>[0]) => boolean): () => void {
  const { save } = ContainerIndex.prototype
  const mocked = t.mock.method(
    ContainerIndex.prototype,
    'save',
    function (this: Containers, record: Parameters<typeof save>[0]) {
      if (fits(record)) throw new Error('disk is full')
      save.call(this, record)
    },
  )
  return () => mocked.mock.restore()
}

const withHealthAndLink = {
  HostConfig: { Links: ['db:db'] },
  Healthcheck: { Test: ['CMD', 'true'], Interval: 3_600_000_000_000 },
}

const faults: Readonly<Record<string, (t: TestContext) => () => void>> = {
  'the record can not be saved': (t) => failSave(t, ({ state }) => state.status === 'running'),
  'the first state of health can not be saved': (t) => failSave(t, ({ health }) => health !== undefined),
  'its links can not be permitted': (t) => {
    const mocked = t.mock.method(LinkPermits.prototype, 'set', () => Promise.reject(new Error('disk is full')))
    return () => mocked.mock.restore()
  },
  'its end can not be watched': (t) => {
    const mocked = t.mock.method(RunningContainer.prototype, 'waitExit', () => {
      throw new Error('disk is full')
    })
    return () => mocked.mock.restore()
  },
}

describe('a start that fails when its program already runs', () => {
  let engine: TestEngine
  before(async () => {
    engine = await TestEngine.open()
    await engine.loadBusybox()
    await engine.create('db', ['sleep', '1000'])
    assert.equal((await engine.api('POST', '/containers/db/start')).status, 204)
  })
  after(() => engine[Symbol.asyncDispose]())

  const inspect = async (id: string) => (await engine.api<Inspected>('GET', `/containers/${id}/json`)).body.State

  /** Names of the container's events so far. */
  const eventsOf = async (id: string) => {
    const filters = encodeURIComponent(JSON.stringify({ container: [id] }))
    const { text } = await engine.api('GET', `/events?since=1&until=${Date.now() / 1000}&filters=${filters}`)
    const lines = text.trim().split('\n')
    return lines.map((line) => (JSON.parse(line) as { Action: string }).Action)
  }

  for (const [index, [fault, inject]] of Object.entries(faults).entries()) {
    test(`is undone if ${fault}`, async (t) => {
      const id = await engine.create(`web${index}`, ['sleep', '1000'], withHealthAndLink)
      const restore = inject(t)
      const { status, body } = await engine.api<{ message: string }>('POST', `/containers/${id}/start`)
      assert.deepEqual([status, body.message], [500, 'disk is full'])
      assert.deepEqual(processesOf(id), [])
      const state = await inspect(id)
      assert.deepEqual([state.Status, state.Running, state.Error], ['created', false, 'disk is full'])
      assert.deepEqual(await eventsOf(id), ['create'])
      restore()

      assert.equal((await engine.api('POST', `/containers/${id}/start`)).status, 204)
      assert.notDeepEqual(processesOf(id), [])
      const ended = engine.api<{ StatusCode: number }>('POST', `/containers/${id}/wait?condition=next-exit`)
      assert.equal((await engine.api('POST', `/containers/${id}/kill`)).status, 204)
      assert.equal((await ended).body.StatusCode, 137)
      assert.equal((await inspect(id)).Status, 'exited')
    })
  }

  test('is undone while clients stop it and wait for it, and they get their answers', async (t) => {
    const id = await engine.create('web', ['sleep', '1000'], withHealthAndLink)
    const reached = Promise.withResolvers<void>()
    const { promise: failing, reject: fail } = Promise.withResolvers<never>()
    t.mock.method(LinkPermits.prototype, 'set', () => {
      reached.resolve()
      return failing
    })
    const start = engine.api('POST', `/containers/${id}/start`)
    await reached.promise
    assert.equal((await inspect(id)).Status, 'running')
    const waits = ['not-running', 'next-exit'].map((condition) =>
      engine.api<{ StatusCode: number }>('POST', `/containers/${id}/wait?condition=${condition}`),
    )
    const stop = engine.api('POST', `/containers/${id}/stop?t=1000`)
    await until(async () => (await eventsOf(id)).includes('kill'))
    fail(new Error('disk is full'))
    assert.equal((await start).status, 500)
    assert.equal((await stop).status, 204)
    for (const { body } of await Promise.all(waits)) assert.equal(body.StatusCode, 128)
    assert.equal((await inspect(id)).Status, 'created')
  })
})

/** The processes with the container's id in their command line: its monitor, which lives as long as its program. */
function processesOf(id: string): string[] {
  return readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && commandLine(pid).includes(id))
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    // The process has ended since the directory was read.
    return ''
  }
}
