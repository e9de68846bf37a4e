/** Deletion marks: in layers, entries whose name starts with `.wh.`; in overlayfs, character devices 0/0 and a
 *  directory attribute. https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts */

/** What a name says in a layer. */
export type WhiteoutMark =
  | { readonly kind: 'removed'; readonly name: string }
  | { readonly kind: 'opaque' }
  /** aufs's own files, which some old images still have. */
  | { readonly kind: 'metadata' }

const prefix = '.wh.'
const opaqueName = '.wh..wh..opq'

/** The attribute that hides what lower layers have in a directory, and its value.
 *  https://docs.kernel.org/filesystems/overlayfs.html#whiteouts-and-opaque-directories */
export const opaqueXattr = 'trusted.overlay.opaque'
export const opaqueValue: Buffer = Buffer.from('y')

/** Reads a name as a deletion mark; undefined when it is an ordinary name. */
export function parseWhiteout(name: string): WhiteoutMark | undefined {
  if (!name.startsWith(prefix)) return undefined
  if (name === opaqueName) return { kind: 'opaque' }
  if (name.startsWith(`${prefix}${prefix}`)) return { kind: 'metadata' }
  const removed = name.slice(prefix.length)
  // `.wh...` would mean the parent directory.
  if (removed === '' || removed === '.' || removed === '..') return { kind: 'metadata' }
  return { kind: 'removed', name: removed }
}

/** True when a path goes through a directory that is named as a mark. */
export function isInsideWhiteout(parent: string): boolean {
  return parent.startsWith(prefix) || parent.includes(`/${prefix}`)
}

/** The layer entry that stands for a removed name. */
export function formatWhiteout(name: string): string {
  return prefix + name
}

/** The layer entry that makes its directory opaque. */
export function formatOpaque(): string {
  return opaqueName
}
