import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { nullLogger } from '../base/index.ts'
import { BuildService } from './build-service.ts'
import type { CacheRecord } from './cache/cache-record.ts'
import type { BuildParts } from './model/build-parts.ts'

const directory = mkdtempSync('/tmp/b-bs-')
after(() => rmSync(directory, { recursive: true }))

test('BuildService.prune() moves cache mounts to the trash, except those that a build has started to use', async () => {
  const keys = ['mount-idle', 'mount-taken']
  const records = keys.map((key) => ({ key, type: 'exec.cachemount', lastUsedMs: 0 }) as CacheRecord)
  const mounts = keys.map((key) => join(directory, 'mounts', key))
  for (const mount of mounts) {
    mkdirSync(mount, { recursive: true })
    writeFileSync(join(mount, 'file'), '')
  }
  const taken = new Set<string>()
  const discarded: string[] = []
  const forgotten: string[] = []
  const parts = {
    directory,
    logger: nullLogger,
    images: { store: { records: () => [] } },
    cache: {
      records: () => records,
      isInUse: (key: string) => taken.has(key),
      remove: async (chosen: readonly CacheRecord[]) => void forgotten.push(...chosen.map(({ key }) => key)),
    },
    trash: { discard: (path: string) => void discarded.push(path) },
  } as unknown as BuildParts
  const service = new BuildService({
    parts,
    exporter: {} as never,
    policy: () => ({ enabled: false, rules: [] }),
    measure: async (path) => {
      // The first mount has been measured. Now a build starts to use it.
      if (path === mounts[1]) queueMicrotask(() => taken.add('mount-taken'))
      return 10
    },
    requireRoom: () => {},
    onPrune: () => {},
  })
  const pruned = await service.prune({ all: true, filters: {} })
  assert.deepEqual(pruned, { CachesDeleted: ['mount-idle'], SpaceReclaimed: 10 })
  assert.deepEqual(forgotten, ['mount-idle'])
  assert.deepEqual(discarded, [mounts[0]])
  for (const mount of mounts) assert.deepEqual(readdirSync(mount), ['file'], 'deleting is left to the trash')
})
