/** One member of a tar archive as a plain value, in whichever dialect of the format it was written.
 *  https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_94_13 */

/** The kinds of members. */
export type TarEntryType = 'file' | 'link' | 'symlink' | 'char' | 'block' | 'directory' | 'fifo'

/** A run of bytes that a sparse file has. Everything between runs is a hole. */
export interface SparseRun {
  readonly offset: number
  readonly length: number
}

/** One member of an archive, without its content. */
export interface TarEntry {
  readonly type: TarEntryType
  /** As in the archive, neither normalized nor checked. See `base/file-name.ts` for its encoding. */
  readonly path: string
  /** Target of a link or symlink, else ''. */
  readonly linkPath: string
  /** Permission bits, with setuid, setgid and sticky. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Length of a file's content in bytes, with holes; 0 for all other kinds. */
  readonly sizeBytes: number
  readonly mtimeNs: bigint
  readonly deviceMajor: number
  readonly deviceMinor: number
  /** Extended attributes by full name (`user.note`); undefined when there are none. */
  readonly xattrs?: ReadonlyMap<string, Buffer>
  /** The runs of a sparse file; undefined for any other. */
  readonly sparse?: readonly SparseRun[]
}

/** Headers and contents fill whole blocks of this size. */
export const tarBlockBytes = 512

/** Number of bytes that pad a content of that size to whole blocks. */
export function tarPaddingBytes(sizeBytes: number): number {
  const rest = sizeBytes % tarBlockBytes
  return rest === 0 ? 0 : tarBlockBytes - rest
}
