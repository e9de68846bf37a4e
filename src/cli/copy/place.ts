/** Where a copy comes from and goes to: the rules of `cp` about trailing slashes, missing targets and new names.
 *  Pure, and the same in both directions. */
import { CliError } from '../command/cli-error.ts'
import { path as posix } from './path.ts'

export interface ContainerPlace {
  readonly container: string
  readonly path: string
}

/** What is known of the source. */
export interface CopySource {
  readonly path: string
  readonly isDirectory: boolean
  /** Instead of the path's own last part: the name of the symlink that was followed. */
  readonly name?: string | undefined
}

/** What is known of the target. */
export interface CopyTarget {
  readonly path: string
  readonly exists: boolean
  readonly isDirectory: boolean
}

/** Into which directory the archive is unpacked, and what its first part is called there. */
export interface CopyPlan {
  readonly directory: string
  /** Undefined: as in the source. */
  readonly rename: string | undefined
}

/** Throws what `cp` says of a pair that doesn't go together. */
export function planCopy(source: CopySource, target: CopyTarget): CopyPlan {
  const { directory, base } = splitPath(target.path)
  if (target.exists && target.isDirectory) return { directory: target.path, rename: undefined }
  if (target.exists && source.isDirectory) throw new CliError(1, 'cannot copy directory')
  if (!target.exists && !source.isDirectory && asksDirectory(target.path)) throw new CliError(1, 'no such directory')
  return { directory, rename: base }
}

/** The directory of a path and its last part; `/.` at the end is a part of its own. */
export function splitPath(path: string): { readonly directory: string; readonly base: string } {
  const clean = cleanPath(path)
  if (path === '.' || path.endsWith('/.')) return { directory: clean, base: '.' }
  return { directory: posix.dirname(clean), base: clean === '/' ? '/' : posix.basename(clean) }
}

/** Normalised, without a slash at the end. */
export function cleanPath(path: string): string {
  return posix.normalize(path === '' ? '.' : path).replace(/(.)\/$/, '$1')
}

/** Normalised; a trailing slash or `/.`, which ask for a directory, stay. */
export function keepEnd(clean: string, original: string): string {
  if ((original === '.' || original.endsWith('/.')) && !clean.endsWith('/.')) return `${clean.replace(/\/$/, '')}/.`
  return original.endsWith('/') && !clean.endsWith('/') ? `${clean}/` : clean
}

function asksDirectory(path: string): boolean {
  return path.endsWith('/') || path.endsWith('/.') || path === '.'
}
