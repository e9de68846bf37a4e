import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { DaemonConfig } from '../../config/index.ts'
import { takeLocks } from './root-locks.ts'

function rootsIn(context: { after(run: () => void): void }): DaemonConfig {
  const root = mkdtempSync('/tmp/b-')
  context.after(() => rmSync(root, { recursive: true, force: true }))
  return { dataRoot: join(root, 'd'), execRoot: join(root, 'x') } as DaemonConfig
}

/** Has flock(1) hold the lock of the data root until its input ends; resolves when it does. */
async function holdLock({ dataRoot }: DaemonConfig, pidInFile: string) {
  mkdirSync(dataRoot, { recursive: true })
  writeFileSync(join(dataRoot, 'lock'), `${pidInFile}\n`)
  const holder = spawn('flock', [join(dataRoot, 'lock'), 'sh', '-c', 'echo held; cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  await new Promise((resolve) => holder.stdout.once('data', resolve))
  return holder
}

test('takeLocks() refuses roots that a daemon uses, and locks them once it has ended', async (context) => {
  const config = rootsIn(context)
  const holder = await holdLock(config, String(process.pid))
  await assert.rejects(takeLocks([config]), { kind: 'conflict', message: /another daemon is using/ })
  holder.stdin.end()
  await new Promise((resolve) => holder.once('exit', resolve))
  for (const lock of await takeLocks([config])) lock.release()
})

test('takeLocks() waits for a leftover process of a daemon that has ended', async (context) => {
  const config = rootsIn(context)
  // No process can have that number.
  const holder = await holdLock(config, '4194305')
  // It has tried once when the call returns.
  const taken = takeLocks([config])
  holder.stdin.end()
  for (const lock of await taken) lock.release()
})

test('takeLocks() locks the configured roots and those of a mapping, and refuses both while one is in use', async (context) => {
  const base = rootsIn(context)
  const mapped = { dataRoot: join(base.dataRoot, '1.1'), execRoot: join(base.execRoot, '1.1') }
  const locks = await takeLocks([base, mapped])
  assert.equal(locks.length, 4)
  for (const { dataRoot, execRoot } of [base, mapped]) {
    for (const root of [dataRoot, execRoot]) assert.equal(statSync(root).mode & 0o777, 0o700, root)
  }
  for (const lock of locks) lock.release()
  const holder = await holdLock(base, String(process.pid))
  await assert.rejects(takeLocks([base, mapped]), { kind: 'conflict' })
  holder.stdin.end()
  await new Promise((resolve) => holder.once('exit', resolve))
})
