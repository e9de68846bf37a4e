/** A directory as a client of BuildKit's protocol lists it. */
import { lstatSync, readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { goMode } from '../../../src/build/buildkit/session/fsutil.ts'

/** Which paths are listed. Both empty: all. */
export interface ListedPaths {
  /** Paths (no wildcards) that are listed with everything below them. */
  readonly included: readonly string[]
  /** Like `included`, but a symbolic link on the way is listed together with what it leads to. */
  readonly followed: readonly string[]
}

/** Gives the files in the order of the protocol: parents first, by name. Hard links after the first name a file by that
 *  name. */
export function listDirectory(root: string, { included, followed }: ListedPaths) {
  const wanted = [...included, ...followed.flatMap((path) => placesOf(root, path))]
  const isWanted = (path: string) =>
    wanted.length === 0 || wanted.some((one) => isAtOrBelow(path, one) || isAtOrBelow(one, path))
  const seen = new Map<string, string>()
  const found: { readonly path: string; readonly stat: Record<string, unknown> }[] = []
  const walk = (directory: string) => {
    for (const name of readdirSync(join(root, directory)).sort()) {
      const path = join(directory, name)
      if (!isWanted(path)) continue
      const { isDirectory, ...stat } = statOf(join(root, path), path, seen)
      found.push({ path: join(root, path), stat })
      if (isDirectory) walk(path)
    }
  }
  walk('')
  return found
}

/** `seen` has the first path of each file so far. */
function statOf(file: string, path: string, seen: Map<string, string>) {
  const { mode, size, dev, ino, mtimeNs, ...stat } = lstatSync(file, { bigint: true })
  const isFile = (mode & 0o170000n) === 0o100000n
  const isLink = (mode & 0o170000n) === 0o120000n
  const isDirectory = (mode & 0o170000n) === 0o040000n
  const inode = `${dev}.${ino}`
  const first = isFile && stat.nlink > 1n ? seen.get(inode) : undefined
  if (first === undefined) seen.set(inode, path)
  return {
    path,
    mode: goMode(isDirectory ? 'd' : isLink ? 'l' : 'f', Number(mode & 0o7777n)),
    size: isFile && first === undefined ? size : 0n,
    modTime: mtimeNs,
    linkname: isLink ? readlinkSync(file) : (first ?? ''),
    isDirectory,
  }
}

function isAtOrBelow(path: string, directory: string): boolean {
  return directory === '.' || path === directory || path.startsWith(`${directory}/`)
}

/** A path, and the places that symbolic links on the way lead to. */
function placesOf(root: string, path: string): readonly string[] {
  const parts = path.split('/')
  for (let count = 1; count <= parts.length; count += 1) {
    const place = parts.slice(0, count).join('/')
    const stat = lstatSync(join(root, place), { throwIfNoEntry: false })
    if (stat?.isSymbolicLink() !== true) continue
    const target = readlinkSync(join(root, place))
    const led = join(target.startsWith('/') ? '/' : join('/', place, '..'), target, ...parts.slice(count))
    return [place, ...placesOf(root, led.slice(1))]
  }
  return [path]
}
