/** Resolves paths of a container as if its root were `/`. A failed look-up throws the kernel's error. */

import { type BigIntStats, constants, fstatSync } from 'node:fs'
import { posix } from 'node:path'
import type { ContainerPathStat } from '../../api/index.ts'
import { decodeName, encodeName } from '../../base/index.ts'
import { closeFd, oPath, openAt, openInRoot, readlinkAt } from '../../sys/index.ts'

/** The normalized path from the root. A trailing slash or `/.`, which asks for a directory, is kept. */
export function absolutePath(path: string): string {
  const clean = posix.join('/', path).replace(/(.)\/$/, '$1')
  if (path.endsWith('/.') || path === '.') return posix.join(clean, '/').concat('.')
  return path.endsWith('/') && clean !== '/' ? `${clean}/` : clean
}

/** What `statIn` found. */
export interface FoundPath {
  readonly value: ContainerPathStat
  readonly isDirectory: boolean
}

/** Describes the file at the path. A symlink at its end is followed only if the path asks for a directory. */
export function statIn(rootFd: number, path: string): FoundPath {
  const fd = openEnd(rootFd, path)
  try {
    const status = fstatSync(fd, { bigint: true })
    const linkTarget = status.isSymbolicLink() ? resolveIn(rootFd, path) : ''
    const value = {
      name: baseName(path),
      size: Number(status.size),
      mode: goFileMode(status),
      mtime: goTime(status.mtimeNs),
      linkTarget,
    }
    return { value, isDirectory: status.isDirectory() }
  } finally {
    closeFd(fd)
  }
}

/** Opens the directory at the path, following symlinks, and gives its descriptor. */
export function openDirectoryIn(rootFd: number, path: string): number {
  return openInRoot(rootFd, nativePath(path), constants.O_RDONLY | constants.O_DIRECTORY)
}

/** Opens the directory that holds the path's last part, and gives its descriptor (O_PATH). */
export function openParentIn(rootFd: number, path: string): number {
  return openInRoot(rootFd, nativePath(posix.dirname(path)), oPath | constants.O_DIRECTORY)
}

const maxLinks = 255

/** The path with every symlink resolved as far as it exists. The result is only text: what it names may change
 *  later. */
export function resolveIn(rootFd: number, path: string): string {
  let left = path.split('/')
  let done = '/'
  for (let links = 0; left.length > 0; ) {
    const [name = '', ...rest] = left
    left = rest
    if (name === '' || name === '.') continue
    const next = posix.join(done, name)
    const target = name === '..' ? undefined : linkAt(rootFd, next)
    if (target === undefined) {
      done = next
      continue
    }
    links += 1
    if (links > maxLinks) return next
    if (target.startsWith('/')) done = '/'
    left = [...target.split('/'), ...left]
  }
  return done
}

function linkAt(rootFd: number, path: string): string | undefined {
  let parent: number
  try {
    parent = openParentIn(rootFd, path)
  } catch {
    // The rest of the path does not exist, so it stays as it is.
    return undefined
  }
  try {
    return decodeName(readlinkAt(parent, nativePath(posix.basename(path))))
  } catch {
    return undefined
  } finally {
    closeFd(parent)
  }
}

function openEnd(rootFd: number, path: string): number {
  if (path === '/' || path.endsWith('/') || path.endsWith('/.')) {
    return openInRoot(rootFd, nativePath(path), oPath | constants.O_DIRECTORY)
  }
  const parent = openParentIn(rootFd, path)
  try {
    return openAt(parent, nativePath(posix.basename(path)), oPath)
  } finally {
    closeFd(parent)
  }
}

/** Like Go's `filepath.Base`: `/` for the root, `.` for a path that ends so. */
function baseName(path: string): string {
  if (path === '/') return '/'
  return path.endsWith('/.') ? '.' : posix.basename(path)
}

/** Passes a name that is not valid UTF-8 to the kernel as its bytes. */
function nativePath(path: string): string {
  return encodeName(path) as string
}

/** The mode bits of Go: https://pkg.go.dev/io/fs#FileMode */
function goFileMode(status: BigIntStats): number {
  const mode = Number(status.mode)
  const bits: readonly (readonly [boolean, number])[] = [
    [status.isDirectory(), 31],
    [status.isSymbolicLink(), 27],
    [status.isBlockDevice() || status.isCharacterDevice(), 26],
    [status.isFIFO(), 25],
    [status.isSocket(), 24],
    [(mode & 0o4000) !== 0, 23],
    [(mode & 0o2000) !== 0, 22],
    [status.isCharacterDevice(), 21],
    [(mode & 0o1000) !== 0, 20],
  ]
  return bits.reduce((sum, [isSet, bit]) => (isSet ? sum + 2 ** bit : sum), mode & 0o777)
}

/** RFC 3339 with nanoseconds, without trailing zeros. */
function goTime(timeNs: bigint): string {
  const second = 1_000_000_000n
  const nanoseconds = ((timeNs % second) + second) % second
  const whole = new Date(Number((timeNs - nanoseconds) / second) * 1000).toISOString().slice(0, 19)
  const fraction = String(nanoseconds).padStart(9, '0').replace(/0+$/, '')
  return `${whole}${fraction === '' ? '' : `.${fraction}`}Z`
}
