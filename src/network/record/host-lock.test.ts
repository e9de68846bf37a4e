import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Logger, nullLogger } from '../../base/index.ts'
import { withHostLock } from './host-lock.ts'

let count = 0

/** Each test has its own lock. */
function uniqueName(): string {
  count += 1
  return `berth-test-${process.pid}-${count}`
}

/** A program that takes the lock, prints `held` and keeps it. It has a child that outlives it. */
async function otherHolder(name: string): Promise<Disposable & { pid: number; kill(signal: NodeJS.Signals): void }> {
  const script = `
    const { withHostLock } = await import(${JSON.stringify(join(import.meta.dirname, 'host-lock.ts'))})
    const { nullLogger } = await import(${JSON.stringify(join(import.meta.dirname, '../../base/index.ts'))})
    const { spawn } = await import('node:child_process')
    await withHostLock(async () => {
      const child = spawn('sleep', ['60'], { stdio: 'ignore', detached: true })
      console.log('held ' + child.pid)
      await new Promise((resolve) => setTimeout(resolve, 60_000))
    }, { logger: nullLogger, name: ${JSON.stringify(name)} })`
  const holder = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(holder.stdout, 'data')) as [Buffer]
  const childPid = Number(/^held (\d+)/.exec(line.toString())?.[1])
  return {
    pid: holder.pid ?? 0,
    kill: (signal) => holder.kill(signal),
    [Symbol.dispose]() {
      holder.kill('SIGKILL')
      // The child must still live here, or the test proves nothing.
      assert.equal(process.kill(childPid, 'SIGKILL'), true)
    },
  }
}

test('withHostLock() runs one work after the other, in the order of the calls', async () => {
  const options = { logger: nullLogger, name: uniqueName() }
  const order: number[] = []
  let inside = 0
  const work = (number: number) => async () => {
    inside += 1
    assert.equal(inside, 1)
    await new Promise(setImmediate)
    order.push(number)
    inside -= 1
  }
  const numbers = Array.from({ length: 30 }, (_, index) => index)
  await Promise.all(numbers.map((number) => withHostLock(work(number), options)))
  assert.deepEqual(order, numbers)
  // A failure releases the lock, too.
  await assert.rejects(
    withHostLock(() => {
      throw new Error('no')
    }, options),
    /^Error: no$/,
  )
  assert.equal(await withHostLock(() => 'free', options), 'free')
})

test('withHostLock() is free at once after its holder was killed, even if children of the holder live on', async () => {
  const name = uniqueName()
  using holder = await otherHolder(name)
  const warnings: string[] = []
  const logger = { ...nullLogger, warn: (message: string) => warnings.push(message) } as unknown as Logger
  const next = withHostLock(() => 'mine', { logger, name })
  holder.kill('SIGKILL')
  assert.equal(await next, 'mine')
  assert.deepEqual(warnings, [])
})

test('withHostLock() logs the holder of the lock, and gives up at the end', async () => {
  const name = uniqueName()
  using holder = await otherHolder(name)
  // The holder is stuck.
  holder.kill('SIGSTOP')
  const warnings: unknown[] = []
  const logger = { ...nullLogger, warn: (message: string, fields: unknown) => warnings.push([message, fields]) }
  const waiting = withHostLock(() => 'mine', { logger: logger as unknown as Logger, name, patienceMs: 2000 })
  const gaveUp = new RegExp(`another engine is setting up its network for too long: process ${holder.pid} \\(.*; T`)
  await assert.rejects(waiting, gaveUp)
  const [[message, fields]] = warnings as [[string, { holder: string }]]
  assert.equal(message, 'waiting for another engine to set up its network')
  assert.match(fields.holder, new RegExp(`^process ${holder.pid} `))
})
