/** What COPY, ADD and WORKDIR write into a stage's root, as plain data that can be sent to a worker thread. */
import type { FileMode } from '../dockerfile/index.ts'

/** Where a file's bytes are: at a path on the host that does not change, in a range of the spool, or in the value
 *  itself. */
export type FileSource =
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'range'; readonly offset: number; readonly sizeBytes: number }
  | { readonly kind: 'text'; readonly text: string }

/** A file, directory or symlink to create. */
export interface WriteEntry {
  /** Path below the group's destination. '' for the group's root. */
  readonly path: string
  readonly type: 'file' | 'directory' | 'symlink'
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly mtimeNs: bigint
  readonly linkPath: string
  readonly xattrs?: ReadonlyMap<string, Uint8Array>
  /** Only for files. */
  readonly source?: FileSource
}

/** One file, or the contents of one directory. */
export interface WriteGroup {
  readonly name: string
  readonly isDirectory: boolean
  readonly entries: readonly WriteEntry[]
}

/** A job for `writeFiles`. */
export interface WriteJob {
  /** The mounted root filesystem. */
  readonly root: string
  /** Absolute path in the root. A slash at the end means a directory. */
  readonly destination: string
  readonly groups: readonly WriteGroup[]
  /** The layer's own directory. The contents of directories that this job creates are written there, past the mount. */
  readonly upper?: string
  /** Pack the layer into this file, which exists and is empty. */
  readonly packInto?: string
  /** The spool that ranges refer to. */
  readonly spool?: string
  /** Value of `--chown`. Also the owner of parent directories that are created. */
  readonly owner?: { readonly uid: number; readonly gid: number }
  /** Value of `--chmod`. */
  readonly mode?: FileMode
  /** Create only the destination, as a directory of this owner (WORKDIR). */
  readonly onlyDirectory?: boolean
}
