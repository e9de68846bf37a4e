import { renameSync } from 'node:fs'
import { open, opendir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { conflict, errnoOf } from '../base/index.ts'
import type { IngestInfo } from './ingest.ts'
import { ingestDataPath, ingestKeyPath, ingestPath, ingestsPath } from './paths.ts'

/** The directory of ingests also has files of blobs that are being stored, and entries that are being deleted. */
const ingestName = /^[0-9a-f]{64}$/

/** The ingests of a content store that have not become blobs: garbage collection lists and drops them. */
export class UnfinishedIngests {
  readonly #root: string
  readonly #openKeys: ReadonlySet<string>

  /** `root` is the store's directory; `openKeys` are the keys of the ingests that are being written. */
  constructor(root: string, openKeys: ReadonlySet<string>) {
    this.#root = root
    this.#openKeys = openKeys
  }

  /** Every unfinished ingest, open or not, in no order. */
  async *walk(): AsyncIterable<IngestInfo> {
    for await (const { name } of await opendir(ingestsPath(this.#root))) {
      const found = ingestName.test(name) ? await readIngest(join(ingestsPath(this.#root), name)) : undefined
      if (found !== undefined) yield found
    }
  }

  /** Deletes an ingest; no error when there is none. Throws `conflict` while it is open. */
  async drop(key: string): Promise<void> {
    if (this.#openKeys.has(key)) throw conflict(`ingest ${key} is open`)
    const discarded = moveToDiscarded(this.#root, ingestPath(this.#root, key), 'ingest')
    if (discarded !== undefined) await rm(discarded, { recursive: true, force: true })
  }

  /** Removes what a crash left of puts, of removals, and of ingests that had no bytes yet. Called at boot, while nothing
   *  else uses the store. */
  async dropBroken(): Promise<void> {
    const directory = ingestsPath(this.#root)
    for (const name of await readdir(directory)) {
      const path = join(directory, name)
      if (!ingestName.test(name) || (await readIngest(path)) === undefined)
        await rm(path, { recursive: true, force: true })
    }
  }
}

/** Moves a file or directory of the store out of the way, so that it is gone at once, before the slow deletion. Returns
 *  the path to delete, or undefined when there is nothing. After a crash, `dropBroken` deletes it. */
export function moveToDiscarded(root: string, path: string, name: string): string | undefined {
  const discarded = join(ingestsPath(root), `deleted-${name}-${process.hrtime.bigint()}`)
  try {
    renameSync(path, discarded)
    return discarded
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Facts of an ingest; undefined when it ended meanwhile, or is incomplete after a crash. */
async function readIngest(directory: string): Promise<IngestInfo | undefined> {
  try {
    const key = await readFile(ingestKeyPath(directory), 'utf8')
    await using data = await open(ingestDataPath(directory))
    const { size, mtime } = await data.stat()
    return { key, sizeBytes: size, updated: mtime }
  } catch (error) {
    const code = errnoOf(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
}
