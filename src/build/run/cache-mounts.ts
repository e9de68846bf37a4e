/** Directories that the RUN steps of all builds share (`--mount=type=cache`). Each is at `<build>/mounts/<key>`, a key
 *  made of the id, and has a record in the cache, so it is listed and pruned like a step. When a private one is in use,
 *  another RUN with the same id gets a second directory. */
import { hash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { BerthError, errnoOf, newId } from '../../base/index.ts'
import type { Digest } from '../../oci/index.ts'
import { makePrivateDirectory } from '../../sys/index.ts'
import type { BuildParts } from '../model/build-parts.ts'

/** What a RUN asks for. */
export interface CacheMountRequest {
  readonly id: string
  readonly sharing: 'shared' | 'private' | 'locked'
  readonly signal: AbortSignal
  /** Fills a new directory with the initial contents. */
  fill(directory: string): Promise<void>
}

/** A directory while a step uses it. */
export interface HeldCacheMount {
  readonly directory: string
  readonly release: () => void
}

const noDigest = `sha256:${'0'.repeat(64)}` as Digest

/** The directory that contains all cache mounts. */
export function cacheMountsPath(buildDirectory: string): string {
  return join(buildDirectory, 'mounts')
}

/** Discards directories without a record, which a crash can leave. */
export function clearCacheMounts({ directory, cache, trash }: Pick<BuildParts, 'directory' | 'cache' | 'trash'>): void {
  const mounts = cacheMountsPath(directory)
  for (const name of namesIn(mounts)) if (cache.get(name) === undefined) trash.discard(join(mounts, name))
}

/** Gives the directory for a step and creates it if it does not exist. Waits while another step has it locked. Throws
 *  `cancelled` on abort. */
export async function acquireCacheMount(parts: BuildParts, request: CacheMountRequest): Promise<HeldCacheMount> {
  const release = request.sharing === 'locked' ? await lock(parts, request) : undefined
  try {
    const key = freeKey(parts, request)
    const use = parts.cache.use(key)
    try {
      const directory = await makeDirectory(parts, key, request)
      remember(parts, key, request.id)
      return {
        directory,
        release: () => {
          use[Symbol.dispose]()
          release?.()
        },
      }
    } catch (error) {
      use[Symbol.dispose]()
      throw error
    }
  } catch (error) {
    release?.()
    throw error
  }
}

function freeKey({ cache }: BuildParts, { id, sharing }: CacheMountRequest): string {
  for (let number = 0; ; number += 1) {
    const key = `mount-${hash('sha256', number === 0 ? id : `${id}\0${number}`, 'hex').slice(0, 40)}`
    if (sharing !== 'private' || !cache.isInUse(key)) return key
  }
}

async function makeDirectory(parts: BuildParts, key: string, { fill }: CacheMountRequest): Promise<string> {
  const mounts = cacheMountsPath(parts.directory)
  const path = join(mounts, key)
  makePrivateDirectory(mounts, parts.settings.remap?.root.gid)
  if (existsSync(path)) return path
  // The directory gets its final name once it is filled.
  const fresh = join(mounts, `new-${newId().slice(0, 12)}`)
  mkdirSync(fresh)
  try {
    await fill(fresh)
    if (!existsSync(path)) renameSync(fresh, path)
  } finally {
    // Discards a directory that could not be filled, or that another step has created first. Otherwise there is nothing
    // at this path.
    parts.trash.discard(fresh)
  }
  return path
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch (error) {
    // No build has used a cache mount yet.
    if (errnoOf(error) === 'ENOENT') return []
    throw error
  }
}

function remember({ cache }: BuildParts, key: string, id: string): void {
  const known = cache.get(key)
  const nowMs = Date.now()
  cache.put(
    {
      version: 1,
      key,
      slot: key,
      type: 'exec.cachemount',
      description: `cached mount ${id}`,
      diffId: noDigest,
      chainId: noDigest,
      blob: { mediaType: '', digest: noDigest, size: 0 },
      sizeBytes: known?.sizeBytes ?? 0,
      createdMs: known?.createdMs ?? nowMs,
      lastUsedMs: nowMs,
      uses: (known?.uses ?? 0) + 1,
    },
    undefined,
  )
}

/** Waits for the lock and gives the function that releases it. */
async function lock({ mountLocks }: BuildParts, { id, signal }: CacheMountRequest): Promise<() => void> {
  const got = Promise.withResolvers<void>()
  const done = Promise.withResolvers<void>()
  void mountLocks.run(id, async () => {
    got.resolve()
    await done.promise
  })
  const onAbort = () => {
    done.resolve()
    got.reject(new BerthError('cancelled', 'context canceled'))
  }
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    await got.promise
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
  return done.resolve
}
