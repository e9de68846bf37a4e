/** What a container changed in its file system: compares its writable layer with its image's files. Mount points and
 *  files that the runtime or Berth made there are not changes of the container.
 *  The container may run and replace a directory by a symlink at any moment. So names are looked up only in directories
 *  that are held by a descriptor, and symlinks are never followed. */
import { type BigIntStats, constants, lstatSync, readdirSync } from 'node:fs'
import type { ContainerChange } from '../../api/index.ts'
import { decodeName, encodeName, errnoOf, nameBytes, TimeSlice } from '../../base/index.ts'
import { closeFd, getXattr, isForeignXattr, listXattrs, openAt, openFd } from '../../sys/index.ts'
import { snapshotKey } from '../record/container-record.ts'
import type { Uses } from '../record/dependencies.ts'
import { mountTable } from '../rootfs/rootfs.ts'
import { viewImage } from '../rootfs/view.ts'

/** The difference between a container's writable layer and its image. */
export interface LayerChanges {
  /** Sorted by path, so a directory comes before its content. Paths begin with a slash. */
  readonly changes: readonly ContainerChange[]
  /** Paths of the writable layer (without a leading slash) that a commit omits. */
  readonly unchanged: readonly string[]
}

const kinds = { modified: 0, added: 1, deleted: 2 } as const

/** Made in every container. A directory of these counts as changed only if the container put something into it. */
const mountPoints: ReadonlySet<string> = new Set([
  '.dockerenv',
  'dev',
  'proc',
  'sys',
  'etc/hosts',
  'etc/hostname',
  'etc/resolv.conf',
  'sbin/docker-init',
])

const oDirectory = constants.O_RDONLY | constants.O_DIRECTORY

/** The answer of `docker diff`. Throws `notFound`. */
export async function containerChanges(
  context: Uses<'containers' | 'snapshots' | 'mounts' | 'paths'>,
  idOrName: string,
): Promise<readonly ContainerChange[]> {
  const { id } = context.containers.get(idOrName)
  return (await layerChanges(context, id)).changes
}

/** Compares the writable layer with the image. */
export async function layerChanges(
  context: Uses<'containers' | 'snapshots' | 'mounts' | 'paths'>,
  id: string,
): Promise<LayerChanges> {
  const record = context.containers.get(id)
  using image = await viewImage(context, record)
  const own = openFd(context.snapshots.directory(snapshotKey(id)), oDirectory)
  try {
    const comparison = new Comparison()
    await comparison.compare(own, image?.fd, '')
    return comparison
  } finally {
    closeFd(own)
  }
}

class Comparison implements LayerChanges {
  readonly changes: ContainerChange[] = []
  readonly unchanged: string[] = []
  readonly #slice = new TimeSlice()

  /** Compares two directories; `lower` is undefined if the image has none. Gives true if it met mount points. */
  async compare(own: number, lower: number | undefined, prefix: string): Promise<boolean> {
    let hasMountPoints = false
    const names = readNames(own)
    const present = new Set(names)
    const gone = lower === undefined || !isOpaque(own) ? [] : readNames(lower).filter((name) => !present.has(name))
    for (const name of [...names, ...gone].sort()) {
      if (this.#slice.isOver) await this.#slice.renew()
      const path = prefix + name
      if (!present.has(name)) this.#add('deleted', path)
      else if (await this.#compareOne(own, lower, name, path)) hasMountPoints = true
    }
    return hasMountPoints
  }

  async #compareOne(own: number, lower: number | undefined, name: string, path: string): Promise<boolean> {
    const mine = statOf(own, name)
    if (mine === undefined) return false
    const theirs = lower === undefined ? undefined : statOf(lower, name)
    if (mine.isCharacterDevice() && mine.rdev === 0n) {
      if (theirs !== undefined) this.#add('deleted', path)
      return false
    }
    if (mine.isDirectory()) return await this.#compareTree({ own, lower, name, path, mine, theirs })
    if (theirs === undefined && isOfEveryContainer(path, mine)) {
      this.unchanged.push(path)
      return true
    }
    if (theirs === undefined) this.#add('added', path)
    else if (isDifferent(mine, theirs) || !haveSameXattrs(own, theirs, lower, name)) this.#add('modified', path)
    return false
  }

  async #compareTree({ own, lower, name, path, mine, theirs }: Pair): Promise<boolean> {
    const directory = openDirectory(own, name)
    if (directory === undefined) return false
    const below = lower === undefined || theirs?.isDirectory() !== true ? undefined : openDirectory(lower, name)
    try {
      const at = this.changes.length
      // The directory is listed before its content, but whether it changed is known only after its content was
      // compared.
      const kind = theirs === undefined ? 'added' : 'modified'
      const hasMountPoints = await this.compare(directory, below, `${path}/`)
      const isQuiet = this.changes.length === at
      const isOurs = theirs === undefined && isQuiet && (hasMountPoints || mountPoints.has(path))
      const isSame = theirs?.isDirectory() === true && isQuiet && !isDifferent(mine, theirs)
      if (isOurs || isSame) this.unchanged.push(path)
      else this.changes.splice(at, 0, { Path: `/${path}`, Kind: kinds[kind] })
      return isOurs
    } finally {
      closeFd(directory)
      if (below !== undefined) closeFd(below)
    }
  }

  #add(kind: keyof typeof kinds, path: string): void {
    this.changes.push({ Path: `/${path}`, Kind: kinds[kind] })
  }
}

/** True for an empty file to mount on, and for the link to the mount table. */
function isOfEveryContainer(path: string, stat: BigIntStats): boolean {
  if (path === mountTable.path) return stat.isSymbolicLink() && stat.size === BigInt(mountTable.target.length)
  return mountPoints.has(path) && stat.size === 0n
}

interface Pair {
  readonly own: number
  readonly lower: number | undefined
  readonly name: string
  readonly path: string
  readonly mine: BigIntStats
  readonly theirs: BigIntStats | undefined
}

/** Size and time of a directory are ignored: they change with its content. */
function isDifferent(mine: BigIntStats, theirs: BigIntStats): boolean {
  if (mine.mode !== theirs.mode || mine.uid !== theirs.uid || mine.gid !== theirs.gid) return true
  if (mine.isDirectory()) return false
  return mine.rdev !== theirs.rdev || mine.size !== theirs.size || mine.mtimeNs !== theirs.mtimeNs
}

/** Extended attributes, such as capabilities, can change without any other change of the file. */
function haveSameXattrs(own: number, theirs: BigIntStats, lower: number | undefined, name: string): boolean {
  if (!theirs.isFile() || lower === undefined || !name.isWellFormed()) return true
  const mine = xattrsOf(`/proc/self/fd/${own}/${name}`)
  const others = xattrsOf(`/proc/self/fd/${lower}/${name}`)
  return mine.length === others.length && mine.every((one, at) => one === others[at])
}

function xattrsOf(file: string): string[] {
  return listXattrs(file)
    .filter((name) => !name.startsWith('trusted.') && !isForeignXattr(name))
    .map((name) => `${name}=${getXattr(file, name)?.toString('hex') ?? ''}`)
    .sort()
}

function isOpaque(directory: number): boolean {
  return getXattr(directory, 'trusted.overlay.opaque')?.toString() === 'y'
}

function readNames(directory: number): string[] {
  return readdirSync(`/proc/self/fd/${directory}`, { encoding: 'buffer' }).map(decodeName)
}

/** Undefined if the file does not exist, or no longer exists. */
function statOf(directory: number, name: string): BigIntStats | undefined {
  const path = `/proc/self/fd/${directory}/${name}`
  return lstatSync(path.isWellFormed() ? path : nameBytes(path), { bigint: true, throwIfNoEntry: false })
}

function openDirectory(parent: number, name: string): number | undefined {
  try {
    // koffi also accepts the bytes of a name that is not valid UTF-8.
    return openAt(parent, encodeName(name) as string, oDirectory)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errnoOf(error) ?? '')) return undefined
    throw error
  }
}
