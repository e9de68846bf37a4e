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

export function snapshotPath(root: string, number: number): string {
  return join(root, String(number))
}

export function filesPath(root: string, number: number): string {
  return join(root, String(number), 'fs')
}

export function workPath(root: string, number: number): string {
  return join(root, String(number), 'work')
}

/** overlayfs's mark of a volatile mount; it refuses to mount again while the mark is there. */
export function volatileMarkPath(root: string, number: number): string {
  return join(workPath(root, number), 'work', 'incompat')
}

export function trashPath(root: string): string {
  return join(root, 'trash')
}

/** The number that a directory's name is, or undefined for any other name. */
export function numberOf(name: string): number | undefined {
  return /^[1-9]\d{0,15}$/.test(name) ? Number(name) : undefined
}
