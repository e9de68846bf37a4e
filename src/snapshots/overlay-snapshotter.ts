/** The snapshotter on overlayfs, with its index in the database (paths.ts has the directories).
 *  Invariants: a row is written before its directories and removed before them. So a crash leaves either a directory
 *  without a row, which is trash, or a row without directories, which had no content yet; `open` clears both. A
 *  committed snapshot never changes, so the chain of layers below a name is kept in memory.
 *  https://docs.kernel.org/filesystems/overlayfs.html */
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { BerthError, conflict, internal, invalidArgument, type Logger, notFound } from '../base/index.ts'
import type { SnapshotRow, SnapshotTable } from '../store/index.ts'
import {
  hasProjectQuotas,
  limitTree,
  type Mount,
  makePrivateDirectory,
  unlimitTree,
  withRoomInTree,
} from '../sys/index.ts'
import { inheritDirectories } from './inherit-directories.ts'
import { type LayerMapping, type MappedLayers, mapLayers } from './mapped-layers.ts'
import { emptyName, type OverlayParts, overlayMount } from './overlay-mount.ts'
import { filesPath, numberOf, snapshotPath, trashPath, volatileMarkPath, workPath } from './paths.ts'
import type {
  CommitOptions,
  MountOptions,
  PrepareOptions,
  SnapshotInfo,
  Snapshotter,
  SnapshotUsage,
} from './snapshotter.ts'
import { spreadDirectories } from './spread-directories.ts'
import { Trash } from './trash.ts'
import { measureUsage } from './usage.ts'

/** Where the snapshots are stored. */
export interface OverlaySnapshotterOptions {
  readonly root: string
  readonly table: SnapshotTable
  readonly logger: Logger
  /** Needed for `mapped` mounts. */
  readonly mapping?: LayerMapping
}

interface NewSnapshot {
  readonly key: string
  readonly parent: string | undefined
  /** 0 for no limit. */
  readonly sizeBytes: number
}

/** The kernel's limit of layers in one overlay. */
const maxLayers = 500

/** Snapshots as directories that overlayfs stacks. */
export class OverlaySnapshotter implements Snapshotter, AsyncDisposable {
  readonly #root: string
  readonly #table: SnapshotTable
  readonly #trash: Trash
  readonly #chains = new Map<string, readonly number[]>()
  readonly #mapped: MappedLayers | undefined

  private constructor(options: OverlaySnapshotterOptions, trash: Trash, mapped: MappedLayers | undefined) {
    this.#root = options.root
    this.#table = options.table
    this.#trash = trash
    this.#mapped = mapped
  }

  /** Opens the snapshots at `root` and clears what a crash left. Throws `invalidArgument` when layers can't be
   *  mapped. */
  static async open(options: OverlaySnapshotterOptions): Promise<OverlaySnapshotter> {
    makePrivateDirectory(options.root)
    spreadDirectories(options.root)
    const trash = Trash.open(trashPath(options.root), options.logger)
    reconcile(options, trash)
    const mapped = options.mapping === undefined ? undefined : await mapLayers(options.root, options.mapping)
    return new OverlaySnapshotter(options, trash, mapped)
  }

  async prepare(key: string, parent?: string, { sizeBytes = 0 }: PrepareOptions = {}): Promise<void> {
    const lower = this.#chain(parent)
    if (lower.length >= maxLayers) throw conflict(`snapshot ${key} would have ${lower.length} layers below it`)
    if (sizeBytes > 0 && !hasProjectQuotas(this.#root)) {
      throw invalidArgument("--storage-opt is supported only for overlay over xfs with 'pquota' mount option")
    }
    this.#make({ key, parent, sizeBytes }, lower[0])
  }

  async mounts(
    key: string,
    { readOnly = false, volatile = false, mapped = false, label = '' }: MountOptions = {},
  ): Promise<readonly Mount[]> {
    const { root, owner } = this.#place(mapped)
    if (label !== '') mkdirSync(join(this.#root, emptyName), { recursive: true, mode: 0o755 })
    const row = this.#get(key)
    const lower = this.#chain(row.kind === 'committed' ? row.key : row.parent)
    // For reading, an active snapshot is one more lower layer: another mount may write to it at the same time.
    if (row.kind === 'active' && readOnly) {
      const layers = [row.number, ...lower]
      return [overlayMount({ root, lower: layers, upper: undefined, readOnly, volatile: false, owner, label })]
    }
    const isActive = row.kind === 'active'
    if (isActive) this.#clearVolatileMark(row.number)
    const upper = isActive ? row.number : undefined
    return [overlayMount({ root, owner, label, lower, upper, readOnly: !isActive, volatile })]
  }

  withRoom<T>(key: string, work: () => T): T {
    return withRoomInTree(snapshotPath(this.#root, this.#get(key).number), work)
  }

  directory(key: string): string {
    return filesPath(this.#root, this.#get(key).number)
  }

  async commit(name: string, key: string, options: CommitOptions = {}): Promise<void> {
    const { parent, sizeBytes, impliedDirectories = [] } = options
    const row = this.#get(key)
    if (row.kind !== 'active') throw conflict(`snapshot ${key} is ${row.kind}, only an active one can be committed`)
    if (parent !== undefined && row.parent !== undefined && parent !== row.parent) {
      throw conflict(`snapshot ${key} has the parent ${row.parent}, not ${parent}`)
    }
    const below = this.#chain(parent ?? row.parent)
    inheritDirectories(this.#root, row.number, below, impliedDirectories)
    unlimitTree(snapshotPath(this.#root, row.number))
    this.#table.commit(key, { name, parent: parent ?? row.parent, sizeBytes })
    rmSync(workPath(this.#root, row.number), { recursive: true, force: true })
  }

  async remove(key: string): Promise<void> {
    const row = this.#table.find(key)
    if (row === undefined) return
    if (this.#table.hasChildren(key)) throw conflict(`snapshot ${key} is the parent of other snapshots`)
    this.#table.delete(key)
    this.#chains.delete(key)
    this.#trash.discard(snapshotPath(this.#root, row.number))
  }

  async find(key: string): Promise<SnapshotInfo | undefined> {
    const row = this.#table.find(key)
    return row === undefined ? undefined : toInfo(row)
  }

  async usage(key: string): Promise<SnapshotUsage> {
    return await measureUsage(this.directory(key))
  }

  async *walk(): AsyncIterable<SnapshotInfo> {
    for (const row of this.#table.all()) yield toInfo(row)
  }

  /** Releases the mapped mounts and waits until the files of removed snapshots are deleted. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#mapped?.release()
    await this.#trash.drain()
  }

  /** The root that layers are mounted from. Throws `internal` for `mapped` without a mapping. */
  #place(mapped: boolean): Pick<OverlayParts, 'root' | 'owner'> {
    if (!mapped) return { root: this.#root }
    if (this.#mapped === undefined) throw internal('no user namespace mapping was set up')
    return this.#mapped
  }

  #get(key: string): SnapshotRow {
    const row = this.#table.find(key)
    if (row === undefined) throw notFound(`no snapshot ${key}`)
    return row
  }

  #make({ key, parent, sizeBytes }: NewSnapshot, top: number | undefined): void {
    const number = this.#table.insert({ key, kind: 'active', parent })
    try {
      mkdirSync(snapshotPath(this.#root, number), 0o700)
      if (sizeBytes > 0) limitTree(snapshotPath(this.#root, number), sizeBytes)
      const files = filesPath(this.#root, number)
      mkdirSync(files, 0o755)
      mkdirSync(workPath(this.#root, number), 0o700)
      // The root of the mounted tree gets its owner and mode from the uppermost layer.
      if (top !== undefined) copyOwnerAndMode(filesPath(this.#root, top), files)
    } catch (error) {
      this.#table.delete(key)
      this.#trash.discard(snapshotPath(this.#root, number))
      throw error
    }
  }

  /** Directory numbers of the committed snapshot `name` and of all below it, the uppermost first. */
  #chain(name: string | undefined): readonly number[] {
    if (name === undefined) return []
    const known = this.#chains.get(name)
    if (known !== undefined) return known
    const numbers: number[] = []
    for (let next: string | undefined = name; next !== undefined; ) {
      const row: SnapshotRow = this.#get(next)
      if (row.kind !== 'committed') throw conflict(`snapshot ${next} is not committed, so it cannot be a parent`)
      numbers.push(row.number)
      next = row.parent
    }
    this.#chains.set(name, numbers)
    return numbers
  }

  /** overlayfs refuses to mount again what was mounted as volatile, because it can't know whether the host crashed
   *  meanwhile. The engine mounts such a snapshot again only when it accepts the content as it is. */
  #clearVolatileMark(number: number): void {
    const mark = volatileMarkPath(this.#root, number)
    if (existsSync(mark)) rmSync(mark, { recursive: true, force: true })
  }
}

function toInfo({ key, kind, parent, created, sizeBytes }: SnapshotRow): SnapshotInfo {
  return { key, kind, parent, created, sizeBytes }
}

function copyOwnerAndMode(from: string, to: string): void {
  const { mode, uid, gid } = statSync(from)
  const own = statSync(to)
  if (uid !== own.uid || gid !== own.gid) chownSync(to, uid, gid)
  if (mode !== own.mode) chmodSync(to, mode & 0o7777)
}

/** Makes rows and directories agree. A row whose directory is gone is reported and removed. The snapshots on it stay:
 *  their own files may be all that is left of a container, and a pull can bring the layer back. */
function reconcile({ root, table, logger }: OverlaySnapshotterOptions, trash: Trash): void {
  const rows = table.all()
  const numbers = new Set(rows.map((row) => row.number))
  const present = new Set<number>()
  for (const name of readdirSync(root)) {
    const number = numberOf(name)
    if (number === undefined) continue
    if (numbers.has(number) && existsSync(filesPath(root, number))) present.add(number)
    else trash.discard(join(root, name))
  }
  for (const row of rows) {
    if (present.has(row.number)) continue
    const error = new BerthError('dataLoss', `directory ${row.number} of snapshot ${row.key} is gone`)
    logger.warn('snapshot without its directory', { key: row.key, kind: row.kind, error: error.message })
    table.delete(row.key)
  }
}
