/** The contract of every container runtime, as far as operations on containers rely on it
 *  (`src/containers/ports/runtime.ts`). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ErrorKind, isKind } from '../../src/base/index.ts'
import type { ContainerRuntime } from '../../src/containers/ports/runtime.ts'
import type { CreateOptions, ExecOptions } from '../../src/runtime/index.ts'

/** A runtime under test. */
export interface RuntimeSetup {
  readonly runtime: ContainerRuntime
  /** Options for a new container, whose program does not exit by itself. */
  options(): CreateOptions
  /** An exec that exits by itself with code 0. */
  exec(): ExecOptions
  /** The runtime of the next daemon: it knows no container until it adopts one. */
  reopen(): Promise<ContainerRuntime>
  teardown(): Promise<void>
}

const sigkill = 9

/** Declares the suite's tests for the runtimes that `setup` makes. */
export function containerRuntimeSuite(
  name: string,
  setup: () => Promise<RuntimeSetup>,
  { skip = false }: { readonly skip?: string | false } = {},
): void {
  const check = (title: string, run: (one: RuntimeSetup) => Promise<void>): void => {
    test(`${name}: ${title}`, { skip }, async () => {
      const one = await setup()
      try {
        await run(one)
      } finally {
        await one.teardown()
      }
    })
  }

  check('a container runs from start to kill, and every waiter gets its end', async ({ runtime, options }) => {
    const wanted = options()
    const { pid } = await runtime.create(wanted)
    assert.ok(pid > 0)
    await runtime.get(wanted.id).start()
    const ended = runtime.get(wanted.id).waitExit()
    await fails(runtime.delete(wanted.id), 'conflict')
    runtime.get(wanted.id).kill(sigkill)
    assert.equal((await ended).exitCode, 128 + sigkill)
    assert.equal((await runtime.get(wanted.id).waitExit()).exitCode, 128 + sigkill)
    failsAtOnce(() => runtime.get(wanted.id).kill(sigkill), 'conflict')
    await runtime.delete(wanted.id)
    assert.ok(!runtime.leftovers().has(wanted.id))
  })

  check('an id is created once', async ({ runtime, options }) => {
    const wanted = options()
    await runtime.create(wanted)
    await fails(runtime.create(wanted), 'conflict')
    assert.ok(runtime.leftovers().has(wanted.id))
    await runtime.delete(wanted.id, { force: true })
    await runtime.create(wanted)
    await runtime.delete(wanted.id, { force: true })
  })

  check('create() waits for what it needs, and leaves nothing when that fails', async ({ runtime, options }) => {
    const wanted = options()
    await assert.rejects(runtime.create({ ...wanted, ready: Promise.reject(new Error('no network')) }), /no network/)
    assert.ok(!runtime.leftovers().has(wanted.id))
    await runtime.create({ ...wanted, ready: Promise.resolve() })
    await runtime.delete(wanted.id, { force: true })
  })

  check('delete() with force ends what runs, tells its end, and can be repeated', async ({ runtime, options }) => {
    const wanted = options()
    await runtime.create(wanted)
    await runtime.get(wanted.id).start()
    const ended = runtime.get(wanted.id).waitExit()
    await runtime.delete(wanted.id, { force: true })
    await ended
    await runtime.delete(wanted.id, { force: true })
    await runtime.delete(wanted.id)
    await runtime.clear(wanted.id)
  })

  check('a container that does not exist can only be deleted', async ({ runtime }) => {
    failsAtOnce(() => runtime.get('none'), 'notFound')
    await runtime.delete('none')
  })

  check('exec() runs a process beside the first one, and none in a container that ended', async (one) => {
    const { runtime, options, exec } = one
    const wanted = options()
    await runtime.create(wanted)
    await runtime.get(wanted.id).start()
    const handle = await runtime.get(wanted.id).execs.start(exec())
    assert.ok(handle.pid > 0)
    assert.equal((await handle.exited).exitCode, 0)
    const ended = runtime.get(wanted.id).waitExit()
    runtime.get(wanted.id).kill(sigkill)
    await ended
    await fails(runtime.get(wanted.id).execs.start(exec()), 'conflict')
    await runtime.delete(wanted.id)
  })

  check('the next daemon adopts what runs and sees its end', async ({ runtime, options, reopen }) => {
    const wanted = options()
    const { pid } = await runtime.create(wanted)
    await runtime.get(wanted.id).start()
    const next = await reopen()
    const state = await next.adopt(wanted.id)
    assert.partialDeepStrictEqual(state, { status: 'running', pid })
    assert.ok(state.startedAt instanceof Date)
    const ended = next.get(wanted.id).waitExit()
    next.get(wanted.id).kill(sigkill)
    assert.equal((await ended).exitCode, 128 + sigkill)
    await next.delete(wanted.id)
  })

  check('the next daemon learns how a run ended meanwhile', async ({ runtime, options, reopen }) => {
    const wanted = options()
    await runtime.create(wanted)
    await runtime.get(wanted.id).start()
    runtime.get(wanted.id).kill(sigkill)
    await runtime.get(wanted.id).waitExit()
    const next = await reopen()
    const { status, exit } = await next.adopt(wanted.id)
    assert.equal(status, 'stopped')
    assert.equal(exit?.exitCode, 128 + sigkill)
    assert.notEqual(exit?.unknown, true)
    await next.delete(wanted.id)
  })

  check('an id without a run is adopted as one whose end was not seen', async ({ runtime, options }) => {
    const { id } = options()
    const { status, exit } = await runtime.adopt(id)
    assert.equal(status, 'stopped')
    assert.equal(exit?.unknown, true)
    await runtime.delete(id, { force: true })
    assert.ok(!runtime.leftovers().has(id))
  })
}

async function fails(promise: Promise<unknown>, kind: ErrorKind): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(isKind(error, kind), `${String(error)} is not ${kind}`)
    return true
  })
}

function failsAtOnce(work: () => unknown, kind: ErrorKind): void {
  assert.throws(work, (error) => {
    assert.ok(isKind(error, kind), `${String(error)} is not ${kind}`)
    return true
  })
}
