/** Where snapshots live:
 *
 *    <root>/
 *      <number>/          one snapshot; the number is its row's and is never used again
 *        fs/              its own files: an overlayfs upper directory first, a lower one once it is committed
 *        work/            overlayfs's scratch space (active snapshots only)
 *      trash/<number>-…   removed, being deleted
 *
 *  Mounts name layers relative to <root> (`12/fs`), so that 127 of them fit in the page that mount(2) takes. */
import { join } from 'node:path'

/** The directory of a snapshot. */
export function snapshotPath(root: string, number: number): string {
  return join(root, String(number))
}

/** The directory with the snapshot's own files. */
export function filesPath(root: string, number: number): string {
  return join(root, String(number), 'fs')
}

/** The scratch directory that overlayfs needs beside an upper directory. */
export function workPath(root: string, number: number): string {
  return join(root, String(number), 'work')
}

/** The mark that overlayfs leaves in a volatile mount's work directory; while it exists, overlayfs refuses to mount
 *  again. */
export function volatileMarkPath(root: string, number: number): string {
  return join(workPath(root, number), 'work', 'incompat')
}

/** The directory of what is being deleted. */
export function trashPath(root: string): string {
  return join(root, 'trash')
}

/** The number of a snapshot's directory, or undefined for any other name. */
export function numberOf(name: string): number | undefined {
  return /^[1-9]\d{0,15}$/.test(name) ? Number(name) : undefined
}
