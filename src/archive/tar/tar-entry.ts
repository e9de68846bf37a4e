/** One member of a tar archive as a plain value, whichever of the format's dialects carried it.
 *  https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_94_13 */

/** What a member is. */
export type TarEntryType = 'file' | 'link' | 'symlink' | 'char' | 'block' | 'directory' | 'fifo'

/** A run of bytes that a sparse file really holds; everything between runs is a hole. */
export interface SparseRun {
  readonly offset: number
  readonly length: number
}

export interface TarEntry {
  readonly type: TarEntryType
  /** As the archive has it: not normalised, not checked. See `base/file-name.ts` for its encoding. */
  readonly path: string
  /** Target of a link or symlink, else ''. */
  readonly linkPath: string
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Bytes of a file's content as a reader of the file sees it (holes counted); 0 for all other types. */
  readonly sizeBytes: number
  readonly mtimeNs: bigint
  readonly deviceMajor: number
  readonly deviceMinor: number
  /** Extended attributes by full name (`user.note`), or undefined when there are none. */
  readonly xattrs?: ReadonlyMap<string, Buffer>
  /** The runs of a sparse file, or undefined for any other. */
  readonly sparse?: readonly SparseRun[]
}

export const tarBlockBytes = 512

/** Bytes that fill the last block of a content of that size. */
export function tarPaddingBytes(sizeBytes: number): number {
  const rest = sizeBytes % tarBlockBytes
  return rest === 0 ? 0 : tarBlockBytes - rest
}
