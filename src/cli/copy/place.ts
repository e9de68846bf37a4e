/** The rules of `cp` about trailing slashes, missing targets and new names. Pure, and the same in both directions. */

import { CliError } from '../command/cli-error.ts'
import { posix } from '../terminal/builtins.ts'

/** A path in a container. */
export interface ContainerPlace {
  readonly container: string
  readonly path: string
}

/** The facts about the source. */
export interface CopySource {
  readonly path: string
  readonly isDirectory: boolean
  /** Replaces the last part of the path: the name of a symbolic link that was followed. */
  readonly name?: string | undefined
}

/** The facts about the target. */
export interface CopyTarget {
  readonly path: string
  readonly exists: boolean
  readonly isDirectory: boolean
}

/** The directory into which the archive is unpacked, and the new name of its first part. */
export interface CopyPlan {
  readonly directory: string
  /** Undefined: the name stays. */
  readonly rename: string | undefined
}

/** Plans a copy. Throws `cp`'s error for a source and target that do not fit together. */
export function planCopy(source: CopySource, target: CopyTarget): CopyPlan {
  const { directory, base } = splitPath(target.path)
  if (target.exists && target.isDirectory) return { directory: target.path, rename: undefined }
  if (target.exists && source.isDirectory) throw new CliError(1, 'cannot copy directory')
  if (!target.exists && !source.isDirectory && asksDirectory(target.path)) throw new CliError(1, 'no such directory')
  return { directory, rename: base }
}

/** Splits a path into its directory and its last part. A final `/.` counts as a part. */
export function splitPath(path: string): { readonly directory: string; readonly base: string } {
  const clean = cleanPath(path)
  if (path === '.' || path.endsWith('/.')) return { directory: clean, base: '.' }
  return { directory: posix.dirname(clean), base: clean === '/' ? '/' : posix.basename(clean) }
}

/** Normalizes a path, without a slash at the end. */
function cleanPath(path: string): string {
  return posix.normalize(path === '' ? '.' : path).replace(/(.)\/$/, '$1')
}

/** Keeps the end of the original path if it asks for a directory: a slash, or `/.`. */
export function keepEnd(clean: string, original: string): string {
  if ((original === '.' || original.endsWith('/.')) && !clean.endsWith('/.')) return `${clean.replace(/\/$/, '')}/.`
  return original.endsWith('/') && !clean.endsWith('/') ? `${clean}/` : clean
}

function asksDirectory(path: string): boolean {
  return path.endsWith('/') || path.endsWith('/.') || path === '.'
}
