import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { turnsDuring } from '../../../test/helpers/turns.ts'
import type { BuildContextFile } from '../../api/index.ts'
import { SessionContext, type SessionFiles } from './session-context.ts'

const paths = Array.from({ length: 5000 }, (_, at) => `f${at}`)

/** A client with empty files at all paths. */
class Client implements SessionFiles {
  fetched = 0

  async *walk(): AsyncIterable<BuildContextFile> {
    for (const [at, p] of paths.entries()) yield { p, t: 'f', m: 0o644, s: 0, i: String(at), ct: '1', mt: '1' }
  }

  async fetch(wanted: readonly string[], _spool: unknown, onFile: Parameters<SessionFiles['fetch']>[2]): Promise<void> {
    this.fetched += wanted.length
    for (const path of wanted) onFile(path, { offset: 0, sizeBytes: 0, digest: `digest of ${path}` })
  }
}

test('SessionContext remembers digests, and does not block the event loop while it reads and writes them', async (t) => {
  const directory = mkdtempSync('/tmp/b-sc-')
  t.after(() => rmSync(directory, { recursive: true }))
  const expected = new Map(paths.map((path) => [path, `digest of ${path}`]))

  const first = new Client()
  const context = SessionContext.open(directory, 'key', first)
  await context.look(['.'])
  assert.deepEqual(await context.digests(paths), expected)
  assert.equal(first.fetched, paths.length)
  assert.notEqual(await turnsDuring(() => context[Symbol.asyncDispose]()), 0)
  assert.equal(readdirSync(join(directory, 'contexts')).length, 1)

  const second = new Client()
  await using next = SessionContext.open(directory, 'key', second)
  await next.look(['.'])
  assert.notEqual(await turnsDuring(async () => assert.deepEqual(await next.digests(paths), expected)), 0)
  assert.equal(second.fetched, 0)
})
