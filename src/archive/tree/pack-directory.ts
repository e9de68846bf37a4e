/** Packs a directory into a tar stream: a layer of a container's changes, or a whole file system. The order of entries
 *  is fixed (names sorted by their bytes, a directory before its content), so equal trees give equal archives.
 *  The tree may belong to a running container, which may replace a directory by a symlink at any moment. So each
 *  directory is held by a descriptor, and names in it are never followed. */
import { type BigIntStats, constants, fstatSync, lstatSync, readdirSync, readlinkSync, readSync } from 'node:fs'
import type { AbortOptions } from '../../base/index.ts'
import { decodeName, errnoOf, nameBytes } from '../../base/index.ts'
import { containerIdOf, type IdMappings } from '../../oci/index.ts'
import { closeFd, dataRuns, getXattr, listXattrs, openAt, openFd } from '../../sys/index.ts'
import { formatSparseHeader, isSparse } from '../tar/sparse-writer.ts'
import type { TarEntryType } from '../tar/tar-entry.ts'
import { formatTarHeader, type TarEntryInput, tarEnd, tarPadding } from '../tar/tar-writer.ts'
import { capabilityInside, capabilityXattr } from './file-capability.ts'
import { fdPath, toName } from './layer-tree.ts'
import { formatOpaque, formatWhiteout, opaqueXattr } from './whiteout.ts'

/** What to pack, and how. */
export interface PackOptions extends AbortOptions {
  /** The directory is an upper or lower one of overlayfs: write its whiteouts as those of a layer. */
  readonly overlay?: boolean
  /** Selects entries to leave out with everything below them. Gets the path without leading slash. */
  readonly exclude?: (path: string) => boolean
  /** Write an entry for the directory itself, as `./`. */
  readonly includeRoot?: boolean
  /** Write an entry for the directory itself under this name (`etc/`, `./`, `/`), and begin all names with it. */
  readonly prefix?: string
  /** Omit the holes of sparse files; by default they are written as zeros. */
  readonly sparse?: boolean
  /** Include all extended attributes of the file itself, such as access control lists; by default only those that
   *  layers have. */
  readonly allXattrs?: boolean
  /** Include the file type in modes, as in st_mode and in Docker's streams; by default only permissions. */
  readonly typeInMode?: boolean
  /** Write owners as seen in this user namespace. */
  readonly mappings?: IdMappings | undefined
}

/** Small pieces are joined into chunks of about this size. */
const chunkBytes = 256 * 1024

/** Packs the content of `directory`. Like tar, it leaves out sockets. A file that shrinks meanwhile is filled with
 *  zeros. */
export function packDirectory(directory: string, options: PackOptions = {}): AsyncIterable<Buffer> {
  return gather(new Packer(options).pack(directory), options)
}

/** Packs one name of a directory, with everything below it, under another name (`as`). */
export function packName(
  directory: number,
  name: string,
  as: string,
  options: Omit<PackOptions, 'includeRoot' | 'prefix'> = {},
): AsyncIterable<Buffer> {
  return gather(new Packer(options).packName(directory, name, as), options)
}

async function* gather(pieces: Iterable<Buffer>, options: PackOptions): AsyncIterable<Buffer> {
  let parts: Buffer[] = []
  let gathered = 0
  for (const part of pieces) {
    parts.push(part)
    gathered += part.length
    if (gathered < chunkBytes) continue
    options.signal?.throwIfAborted()
    yield parts.length === 1 ? part : Buffer.concat(parts)
    parts = []
    gathered = 0
  }
  yield Buffer.concat(parts)
}

class Packer {
  readonly #options: PackOptions
  /** The first path of each file that has several. */
  readonly #links = new Map<string, string>()

  constructor(options: PackOptions) {
    this.#options = options
  }

  *pack(directory: string): Iterable<Buffer> {
    const root = openFd(directory, constants.O_RDONLY | constants.O_DIRECTORY)
    try {
      const { includeRoot = false, prefix } = this.#options
      const name = prefix ?? (includeRoot ? './' : undefined)
      if (name !== undefined) yield this.#header(entryOf(name, root, '.', statOf(root, '.'), this.#options))
      yield* this.#packNames(root, prefix ?? '')
    } finally {
      closeFd(root)
    }
    yield tarEnd
  }

  *packName(directory: number, name: string, as: string): Iterable<Buffer> {
    yield* this.#packOne(directory, name, as, statOf(directory, name))
    yield tarEnd
  }

  *#packNames(directory: number, prefix: string): Iterable<Buffer> {
    for (const name of readNames(directory)) {
      const path = prefix + name
      if (this.#options.exclude?.(path) === true) continue
      const status = tolerateGone(() => statOf(directory, name))
      if (status !== undefined) yield* this.#packOne(directory, name, path, status)
    }
  }

  *#packOne(directory: number, name: string, path: string, status: BigIntStats): Iterable<Buffer> {
    if (status.isSocket()) return
    if (status.isDirectory()) {
      yield* this.#packTree(directory, name, path)
      return
    }
    if (this.#options.overlay === true && status.isCharacterDevice() && status.rdev === 0n) {
      const mtimeNs = status.mtimeNs
      const whiteout = path.slice(0, path.length - name.length) + formatWhiteout(name)
      yield formatTarHeader({ type: 'file', path: whiteout, mode: 0, mtimeNs })
      return
    }
    const key = status.nlink < 2n ? undefined : `${status.dev}:${status.ino}`
    const first = key === undefined ? undefined : this.#links.get(key)
    const entry = tolerateGone(() => entryOf(path, directory, name, status, this.#options))
    if (entry === undefined) return
    let isPacked = true
    if (first !== undefined) yield this.#header({ ...entry, type: 'link', linkPath: first, sizeBytes: 0 })
    else if (status.isFile()) isPacked = yield* packFile(directory, name, path, this.#options)
    else yield this.#header(entry)
    // A file that disappeared before it was packed can't be the target of a link.
    if (key !== undefined && first === undefined && isPacked) this.#links.set(key, path)
  }

  #header(entry: TarEntryInput): Buffer {
    return formatTarHeader(withOwnerInside(entry, this.#options))
  }

  *#packTree(parent: number, name: string, path: string): Iterable<Buffer> {
    const directory = tolerateGone(() => openAt(parent, toName(name), constants.O_RDONLY | constants.O_DIRECTORY))
    if (directory === undefined) return
    try {
      yield this.#header(entryOf(`${path}/`, directory, '.', statOf(directory, '.'), this.#options))
      if (this.#options.overlay === true && isOpaque(directory)) {
        yield formatTarHeader({ type: 'file', path: `${path}/${formatOpaque()}`, mode: 0 })
      }
      yield* this.#packNames(directory, `${path}/`)
    } finally {
      closeFd(directory)
    }
  }
}

function withOwnerInside<T extends TarEntryInput>(entry: T, { mappings }: PackOptions): T {
  if (mappings === undefined) return entry
  const uid = containerIdOf(mappings.uids, entry.uid ?? 0)
  const xattrs = xattrsInside(entry.xattrs, mappings)
  return { ...entry, uid, gid: containerIdOf(mappings.gids, entry.gid ?? 0), xattrs }
}

function xattrsInside(xattrs: TarEntryInput['xattrs'], mappings: IdMappings): TarEntryInput['xattrs'] {
  const value = xattrs?.get(capabilityXattr)
  if (xattrs === undefined || value === undefined) return xattrs
  const inside = capabilityInside(value, mappings)
  const others = [...xattrs].filter(([name]) => name !== capabilityXattr)
  return new Map(inside === undefined ? others : [...others, [capabilityXattr, inside]])
}

/** False when the file is gone. */
function* packFile(
  directory: number,
  name: string,
  path: string,
  options: PackOptions,
): Generator<Buffer, boolean, undefined> {
  // If a fifo took the file's place, the open must not block.
  const flags = constants.O_RDONLY | constants.O_NONBLOCK
  const fd = tolerateGone(() => openAt(directory, toName(name), flags))
  if (fd === undefined) return false
  try {
    const status = fstatSync(fd, { bigint: true })
    if (!status.isFile()) return false
    const sizeBytes = Number(status.size)
    const plain = { ...entryOf(path, directory, name, status, options), xattrs: readXattrs(fd, options), sizeBytes }
    const entry = withOwnerInside(plain, options)
    // A file with fewer blocks than bytes may have holes.
    const runs = options.sparse === true && status.blocks * 512n < status.size ? dataRuns(fd, sizeBytes) : undefined
    if (runs !== undefined && isSparse(sizeBytes, runs)) {
      yield formatSparseHeader(entry, runs)
      for (const { offset, length } of runs) yield* readExactly(fd, length, offset)
      yield tarPadding(runs.reduce((sum, { length }) => sum + length, 0))
      return true
    }
    yield formatTarHeader(entry)
    yield* readExactly(fd, sizeBytes, 0)
    yield tarPadding(sizeBytes)
    return true
  } finally {
    closeFd(fd)
  }
}

/** Exactly `sizeBytes` of a file from `offset` on, because the header already has this length. */
function* readExactly(fd: number, sizeBytes: number, offset: number): Iterable<Buffer> {
  for (let left = sizeBytes; left > 0; ) {
    const buffer = Buffer.allocUnsafe(Math.min(left, chunkBytes))
    const count = readSync(fd, buffer, 0, buffer.length, offset + sizeBytes - left)
    if (count === 0) {
      yield buffer.fill(0)
      left -= buffer.length
    } else {
      yield buffer.subarray(0, count)
      left -= count
    }
  }
}

function entryOf(
  path: string,
  directory: number,
  name: string,
  status: BigIntStats,
  options: PackOptions,
): TarEntryInput {
  const type = typeOf(status)
  const isDevice = type === 'char' || type === 'block'
  return {
    type,
    path,
    mode: options.typeInMode === true ? Number(status.mode) : Number(status.mode) & 0o7777,
    uid: Number(status.uid),
    gid: Number(status.gid),
    mtimeNs: status.mtimeNs,
    linkPath: type === 'symlink' ? decodeName(readlinkSync(at(directory, name), { encoding: 'buffer' })) : '',
    // https://man7.org/linux/man-pages/man3/makedev.3.html, as glibc packs them
    deviceMajor: isDevice ? Number(((status.rdev >> 8n) & 0xfffn) | ((status.rdev >> 32n) & 0xffff_f000n)) : 0,
    deviceMinor: isDevice ? Number((status.rdev & 0xffn) | ((status.rdev >> 12n) & 0xffff_ff00n)) : 0,
    // Those of a regular file are read from its descriptor.
    xattrs:
      type === 'file' || type === 'link' || !name.isWellFormed()
        ? undefined
        : readXattrs(fdPath(directory, name), options),
  }
}

function typeOf(status: BigIntStats): TarEntryType {
  if (status.isDirectory()) return 'directory'
  if (status.isSymbolicLink()) return 'symlink'
  if (status.isCharacterDevice()) return 'char'
  if (status.isBlockDevice()) return 'block'
  return status.isFIFO() ? 'fifo' : 'file'
}

/** Attributes that belong to the file, not to this host's file system or security module. */
function readXattrs(
  file: string | number,
  { allXattrs = false }: PackOptions,
): ReadonlyMap<string, Buffer> | undefined {
  let found: Map<string, Buffer> | undefined
  for (const name of listXattrs(file)) {
    if (!(allXattrs ? isOwn(name) : isOfLayers(name))) continue
    const value = getXattr(file, name)
    if (value === undefined) continue
    found ??= new Map()
    found.set(name, value)
  }
  return found
}

function isOfLayers(name: string): boolean {
  return name === 'security.capability' || (name.startsWith('user.') && !name.startsWith('user.overlay.'))
}

/** False for labels, which the host's security module sets, and for marks of overlayfs. */
function isOwn(name: string): boolean {
  if (name.startsWith('security.')) return name === 'security.capability'
  return !name.startsWith('user.overlay.') && !name.startsWith('trusted.overlay.')
}

function isOpaque(directory: number): boolean {
  return getXattr(directory, opaqueXattr)?.toString() === 'y'
}

function readNames(directory: number): string[] {
  const names = readdirSync(`/proc/self/fd/${directory}`, { encoding: 'buffer' })
  return names.sort(Buffer.compare).map(decodeName)
}

function statOf(directory: number, name: string): BigIntStats {
  return lstatSync(at(directory, name), { bigint: true })
}

/** A name in a directory, as a path for `node:fs`. */
function at(directory: number, name: string): string | Buffer {
  const path = fdPath(directory, name)
  return path.isWellFormed() ? path : nameBytes(path)
}

/** Returns undefined for a name that is gone or became something else, as happens while a container runs. */
function tolerateGone<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO', 'EINVAL'].includes(errnoOf(error) ?? '')) return undefined
    throw error
  }
}
