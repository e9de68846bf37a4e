/** Where volumes are kept. Layout (as Docker's local driver has it, so that tools find it):
 *
 *    <data-root>/volumes/<name>/_data      the volume's content
 *    <data-root>/volumes/<name>/opts.json  what is mounted on it, for a volume with options
 *    <data-root>/volumes/<name>/.filling   is there while content is copied in; what it marks is incomplete
 *    <data-root>/volumes/<name>/.replacing content that is to take the place of `_data`'s (see `replace-content.ts`)
 *    <data-root>/volumes/.gone-<id>        a removed volume that is still being deleted
 */
import { join } from 'node:path'
import { newId } from '../base/index.ts'

const gonePrefix = '.gone-'

export function volumeDirectory(root: string, name: string): string {
  return join(root, name)
}

export function contentDirectory(root: string, name: string): string {
  return join(root, name, '_data')
}

export function fillingMark(root: string, name: string): string {
  return join(root, name, '.filling')
}

/** Where new content waits for its turn, on the same file system. A local volume has room for it beside its content. */
export function replacementDirectory(root: string, name: string): string {
  return join(root, name, '.replacing')
}

/** The same for volumes that are mounted: in the volume itself, where it is no part of the content. */
export const replacementName = '.berth-replacing'

export function optionsFile(root: string, name: string): string {
  return join(root, name, 'opts.json')
}

export function newGoneDirectory(root: string): string {
  return join(root, gonePrefix + newId().slice(0, 16))
}

export function isGoneDirectory(name: string): boolean {
  return name.startsWith(gonePrefix)
}
