/** Where volumes are kept. The layout is that of Docker's local driver, so that tools find the content:
 *
 *    <data-root>/volumes/<name>/_data      the volume's content
 *    <data-root>/volumes/<name>/opts.json  the options of a volume that has any
 *    <data-root>/volumes/<name>/.filling   exists while content is copied in: until then the content is incomplete
 *    <data-root>/volumes/<name>/.replacing new content that will replace that of `_data` (see `replace-content.ts`)
 *    <data-root>/volumes/.gone-<id>        a removed volume that is being deleted
 */
import { join } from 'node:path'
import { newId } from '../../base/index.ts'

const gonePrefix = '.gone-'

/** The directory of a volume. */
export function volumeDirectory(root: string, name: string): string {
  return join(root, name)
}

/** The directory with the content, which containers see. */
export function contentDirectory(root: string, name: string): string {
  return join(root, name, '_data')
}

/** The file that marks incomplete content. */
export function fillingMark(root: string, name: string): string {
  return join(root, name, '.filling')
}

/** The directory of new content, on the same file system as the volume. For a local volume it is beside its content. */
export function replacementDirectory(root: string, name: string): string {
  return join(root, name, '.replacing')
}

/** Name of that directory for a mounted volume: it is inside the volume, and is not counted as content. */
export const replacementName = '.berth-replacing'

/** The file with the volume's options. */
export function optionsFile(root: string, name: string): string {
  return join(root, name, 'opts.json')
}

/** A new name for a volume that is being deleted. */
export function newGoneDirectory(root: string): string {
  return join(root, gonePrefix + newId().slice(0, 16))
}

/** True for a name that `newGoneDirectory` made. */
export function isGoneDirectory(name: string): boolean {
  return name.startsWith(gonePrefix)
}
