import assert from 'node:assert/strict'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { clearSocketPath, withSocketMode } from './unix-socket.ts'

async function inDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'bu-'))
  try {
    await work(directory)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

function bind(path: string): Promise<Server> {
  const { promise, resolve, reject } = Promise.withResolvers<Server>()
  const server = createServer((socket) => socket.end())
  server.once('error', reject)
  withSocketMode(() => server.listen(path, () => resolve(server)))
  return promise
}

test('clearSocketPath() creates missing directories', () =>
  inDirectory(async (directory) => {
    await clearSocketPath(join(directory, 'a/b/s'))
    assert.ok((await stat(join(directory, 'a/b'))).isDirectory())
  }))

test('clearSocketPath() refuses a path on which a process listens', () =>
  inDirectory(async (directory) => {
    const path = join(directory, 's')
    const server = await bind(path)
    try {
      await assert.rejects(clearSocketPath(path), { kind: 'conflict', message: `another process listens on ${path}` })
      assert.equal((await stat(path)).mode & 0o777, 0o660)
    } finally {
      server.close()
    }
  }))

test('clearSocketPath() removes the socket of a dead process', () =>
  inDirectory(async (directory) => {
    const { rename } = await import('node:fs/promises')
    const server = await bind(join(directory, 's'))
    // Moved away so that closing does not unlink it: kill -9 leaves a socket in this state.
    await rename(join(directory, 's'), join(directory, 'stale'))
    await new Promise((resolve) => server.close(resolve))
    await clearSocketPath(join(directory, 'stale'))
    await assert.rejects(stat(join(directory, 'stale')), { code: 'ENOENT' })
  }))

test('clearSocketPath() never removes a file that is not a socket', () =>
  inDirectory(async (directory) => {
    const path = join(directory, 'f')
    await writeFile(path, 'x')
    await assert.rejects(clearSocketPath(path), { kind: 'conflict' })
    await assert.rejects(clearSocketPath(`/tmp/${'x'.repeat(120)}`), { kind: 'invalidArgument' })
  }))
