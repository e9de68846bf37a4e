/** Whiteouts: in layers, entries whose names start with `.wh.`; in overlayfs, character devices 0/0 and an attribute of
 *  directories. https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts */

/** The meaning of a whiteout's name. */
export type WhiteoutMark =
  | { readonly kind: 'removed'; readonly name: string }
  | { readonly kind: 'opaque' }
  /** A metadata file of aufs, which some old images still have. */
  | { readonly kind: 'metadata' }

const prefix = '.wh.'
const opaqueName = '.wh..wh..opq'

/** The attribute that hides a directory's content in lower layers.
 *  https://docs.kernel.org/filesystems/overlayfs.html#whiteouts-and-opaque-directories */
export const opaqueXattr = 'trusted.overlay.opaque'
/** The value of the attribute `opaqueXattr`. */
export const opaqueValue: Buffer = Buffer.from('y')

/** Parses a name as a whiteout; undefined for an ordinary name. */
export function parseWhiteout(name: string): WhiteoutMark | undefined {
  if (!name.startsWith(prefix)) return undefined
  if (name === opaqueName) return { kind: 'opaque' }
  if (name.startsWith(`${prefix}${prefix}`)) return { kind: 'metadata' }
  const removed = name.slice(prefix.length)
  // `.wh...` would mean the parent directory.
  if (removed === '' || removed === '.' || removed === '..') return { kind: 'metadata' }
  return { kind: 'removed', name: removed }
}

/** True when a component of a path has the name of a whiteout. */
export function isInsideWhiteout(parent: string): boolean {
  return parent.startsWith(prefix) || parent.includes(`/${prefix}`)
}

/** The name of the layer entry that hides `name`. */
export function formatWhiteout(name: string): string {
  return prefix + name
}

/** The name of the layer entry that makes its directory opaque. */
export function formatOpaque(): string {
  return opaqueName
}
