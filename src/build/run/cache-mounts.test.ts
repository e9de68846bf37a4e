import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { after, test } from 'node:test'
import type { BuildParts } from '../model/build-parts.ts'
import { acquireCacheMount, clearCacheMounts } from './cache-mounts.ts'

const root = mkdtempSync('/tmp/b-cm-')
after(() => rmSync(root, { recursive: true }))

/** Parts with a cache that has records with these keys, and a trash that only notes the paths it is given. */
function partsIn(name: string, known: readonly string[] = []) {
  const directory = join(root, name)
  mkdirSync(join(directory, 'mounts'), { recursive: true })
  const discarded: string[] = []
  const cache = {
    get: (key: string) => (known.includes(key) ? {} : undefined),
    put: () => {},
    use: () => ({ [Symbol.dispose]: () => {} }),
    isInUse: () => false,
  }
  const trash = { discard: (path: string) => void (existsSync(path) && discarded.push(path)) }
  return {
    parts: { directory, cache, trash, settings: {} } as unknown as BuildParts,
    mounts: join(directory, 'mounts'),
    discarded,
  }
}

test('acquireCacheMount() moves a directory that could not be filled to the trash', async () => {
  const { parts, discarded } = partsIn('unfilled')
  let filled = ''
  const request = {
    id: 'cache',
    sharing: 'shared',
    signal: new AbortController().signal,
    fill: async (directory: string) => {
      filled = directory
      writeFileSync(join(directory, 'file'), '')
      throw new Error('no such image')
    },
  } as const
  await assert.rejects(acquireCacheMount(parts, request), /no such image/)
  assert.deepEqual(discarded, [filled])
  assert.deepEqual(readdirSync(filled), ['file'], 'deleting is left to the trash')
})

test('clearCacheMounts() discards directories without a record, finished or not', () => {
  const { parts, mounts, discarded } = partsIn('crashed', ['mount-known'])
  for (const name of ['mount-known', 'mount-forgotten', 'new-0123456789ab']) mkdirSync(join(mounts, name))
  clearCacheMounts(parts)
  assert.deepEqual(discarded.map((path) => basename(path)).sort(), ['mount-forgotten', 'new-0123456789ab'])
  rmSync(mounts, { recursive: true })
  clearCacheMounts(parts)
})
