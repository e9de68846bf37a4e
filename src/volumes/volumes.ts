/** Volumes of the local driver: directories that outlive containers.
 *  Invariant: a row exists only while its directory does; a removal deletes the row first (the database refuses it while
 *  a container has a reference), so a crash in between leaves a directory without row, which the next start adopts. */
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Background, conflict, errnoOf, isKind, KeyedMutex, type Logger, newId, notFound } from '../base/index.ts'
import { type Database, VolumeTable } from '../store/index.ts'
import { copyTree } from './copy-tree.ts'
import { diskUsage } from './disk-usage.ts'
import { contentDirectory, fillingMark, isGoneDirectory, newGoneDirectory, volumeDirectory } from './paths.ts'
import { anonymousLabel, checkVolumeDriver, checkVolumeName } from './volume-name.ts'
import type { VolumeRecord, VolumeRequest, VolumeSummary } from './volume-record.ts'

export interface VolumesOptions {
  readonly db: Database
  /** `<data-root>/volumes`. */
  readonly root: string
  readonly logger: Logger
}

export class Volumes {
  readonly #root: string
  readonly #table: VolumeTable<VolumeRecord>
  readonly #logger: Logger
  readonly #background: Background
  readonly #filling = new KeyedMutex()

  private constructor(options: VolumesOptions) {
    this.#root = options.root
    this.#table = new VolumeTable(options.db)
    this.#logger = options.logger
    this.#background = new Background(options.logger)
  }

  /** Opens the volumes below `root`, adopts directories that have no row and ends interrupted removals. */
  static async open(options: VolumesOptions): Promise<Volumes> {
    mkdirSync(options.root, { recursive: true, mode: 0o701 })
    const volumes = new Volumes(options)
    volumes.#adopt()
    return volumes
  }

  /** Makes a volume; gives the existing one when there is one of that name.
   *  Throws `invalidArgument` for a bad name or option, `notFound` for another driver. */
  create(request: VolumeRequest = {}): VolumeRecord {
    const name = request.name === undefined || request.name === '' ? newId() : request.name
    const anonymous = request.anonymous === true || name !== request.name
    checkVolumeName(name)
    checkVolumeDriver(name, request)
    const existing = this.#table.find(name)
    if (existing !== undefined) return existing
    const labels = anonymous ? { ...request.labels, [anonymousLabel]: '' } : { ...request.labels }
    makeDirectories(this.#root, name)
    const record = this.#newRecord(name, labels, anonymous)
    this.#table.insert(record)
    return record
  }

  /** Makes a volume, unless there is one of that name, for a container that uses it from then on. The use is noted
   *  first: of a crash in between, the container's clean-up finds the volume. Throws as `create` does; then, the
   *  container is still to be released. */
  createFor(containerId: string, request: VolumeRequest & { readonly name: string }): VolumeRecord {
    checkVolumeName(request.name)
    this.#table.addReference(request.name, containerId)
    return this.create(request)
  }

  /** The volume of that name. Throws `notFound`. */
  get(name: string): VolumeRecord {
    const record = this.#table.find(name)
    if (record === undefined) throw notFound(`get ${name}: no such volume`)
    return record
  }

  /** Whether there is a volume of that name. */
  has(name: string): boolean {
    return this.#table.find(name) !== undefined
  }

  /** All volumes by name, with the number of containers that use each. */
  list(): VolumeSummary[] {
    const users = this.#table.userCounts()
    return this.#table.all().map((record) => ({ ...record, users: users.get(record.name) ?? 0 }))
  }

  /** Removes a volume. Throws `notFound` (not with `force`), and `conflict` while a container uses it. */
  remove(name: string, options: { readonly force?: boolean } = {}): void {
    try {
      this.get(name)
    } catch (error) {
      if (options.force === true && isKind(error, 'notFound')) return
      throw error
    }
    if (!this.#table.deleteUnused(name)) {
      throw conflict(`remove ${name}: volume is in use - [${this.#table.users(name).join(', ')}]`)
    }
    this.#discard(volumeDirectory(this.#root, name))
  }

  /** Removes the volumes that no container uses and that `selects` says yes to. */
  async prune(
    selects: (record: VolumeRecord) => boolean,
  ): Promise<{ readonly removed: string[]; readonly reclaimedBytes: number }> {
    const removed: string[] = []
    let reclaimedBytes = 0
    for (const record of this.list()) {
      if (record.users > 0 || !selects(record)) continue
      const bytes = await diskUsage(record.mountpoint)
      try {
        this.remove(record.name)
      } catch (error) {
        // Taken into use, or removed by somebody else, while it was measured.
        if (isKind(error, 'conflict') || isKind(error, 'notFound')) continue
        throw error
      }
      removed.push(record.name)
      reclaimedBytes += bytes
    }
    return { removed, reclaimedBytes }
  }

  /** Notes that a container uses a volume; gives the directory to mount. Throws `notFound`. */
  acquire(name: string, containerId: string): string {
    return this.#table.transaction(() => {
      const { mountpoint } = this.get(name)
      this.#table.addReference(name, containerId)
      return mountpoint
    })
  }

  /** Drops all references of a container; with `removeAnonymous`, also its anonymous volumes that nobody else uses.
   *  Gives the names of the volumes that it removed. */
  release(containerId: string, options: { readonly removeAnonymous?: boolean } = {}): string[] {
    const removed: string[] = []
    for (const name of this.#table.release(containerId)) {
      if (options.removeAnonymous !== true || this.#table.find(name)?.anonymous !== true) continue
      try {
        this.remove(name)
        removed.push(name)
      } catch (error) {
        if (!isKind(error, 'conflict')) throw error
      }
    }
    return removed
  }

  /** Drops the references of containers that are not in `containers`: what a crash may have left. */
  restore(containers: ReadonlySet<string>): void {
    for (const containerId of this.#table.holders()) {
      if (!containers.has(containerId)) this.release(containerId)
    }
  }

  /** Fills an empty volume with what the image has at the mount's place; a volume with content stays as it is.
   *  `sourceDirectory` must be safe to read: resolved within the image's root by the caller. */
  async copyUp(sourceDirectory: string, name: string): Promise<void> {
    const target = this.get(name).mountpoint
    await this.#filling.run(name, async () => {
      const mark = fillingMark(this.#root, name)
      const interrupted = existsSync(mark)
      if (!interrupted && readdirSync(target).length > 0) return
      writeFileSync(mark, '')
      if (interrupted) emptyDirectory(target)
      try {
        await copyTree(sourceDirectory, target)
      } catch (error) {
        emptyDirectory(target)
        throw error
      } finally {
        rmSync(mark, { force: true })
      }
    })
  }

  /** Waits for the deletion of removed volumes. */
  async close(): Promise<void> {
    await this.#background.drain()
  }

  #newRecord(name: string, labels: Record<string, string>, anonymous: boolean): VolumeRecord {
    const created = new Date().toISOString().replace(/\.\d+Z$/, 'Z')
    const mountpoint = contentDirectory(this.#root, name)
    return { version: 1, name, driver: 'local', mountpoint, created, labels, options: {}, anonymous }
  }

  /** Moves a volume's directory out of the way at once and deletes it without making anybody wait. */
  #discard(directory: string): void {
    const gone = newGoneDirectory(this.#root)
    try {
      renameSync(directory, gone)
    } catch (error) {
      // Somebody deleted it by hand: then nothing is left to do.
      if (errnoOf(error) === 'ENOENT') return
      throw error
    }
    this.#background.run('delete volume', () => rm(gone, { recursive: true, force: true }))
  }

  #adopt(): void {
    const known = new Set(this.#table.all().map((record) => record.name))
    for (const entry of readdirSync(this.#root, { withFileTypes: true })) {
      if (!entry.isDirectory() || known.has(entry.name)) continue
      if (isGoneDirectory(entry.name)) {
        const path = join(this.#root, entry.name)
        this.#background.run('delete volume', () => rm(path, { recursive: true, force: true }))
      } else if (existsSync(contentDirectory(this.#root, entry.name))) {
        this.#logger.info('volume directory adopted', { name: entry.name })
        this.#table.insert(this.#newRecord(entry.name, {}, /^[0-9a-f]{64}$/.test(entry.name)))
      }
    }
  }
}

/** The umask does not count here: other users reach a volume through its container only. */
function makeDirectories(root: string, name: string): void {
  const directory = volumeDirectory(root, name)
  const content = contentDirectory(root, name)
  if (existsSync(content)) return
  mkdirSync(content, { recursive: true })
  chmodSync(directory, 0o701)
  chmodSync(content, 0o755)
}

function emptyDirectory(directory: string): void {
  for (const name of readdirSync(directory)) rmSync(join(directory, name), { recursive: true, force: true })
}
