/** What is written into a stage's root by COPY, ADD and WORKDIR, as plain data that can be sent to a worker thread. */
import type { FileMode } from '../dockerfile/index.ts'

/** Where a file's bytes are: a path on the host that nobody changes, a part of the spool, or here. */
export type FileSource =
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'range'; readonly offset: number; readonly sizeBytes: number }
  | { readonly kind: 'text'; readonly text: string }

/** One file, directory or symlink to be made. */
export interface WriteEntry {
  /** Below the group's place; '' for what the group itself is. */
  readonly path: string
  readonly type: 'file' | 'directory' | 'symlink'
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly mtimeNs: bigint
  readonly linkPath: string
  readonly xattrs?: ReadonlyMap<string, Uint8Array>
  /** Of a file. */
  readonly source?: FileSource
}

/** One file, or the contents of one directory. */
export interface WriteGroup {
  readonly name: string
  readonly isDirectory: boolean
  readonly entries: readonly WriteEntry[]
}

export interface WriteJob {
  /** The mounted root. */
  readonly root: string
  /** Absolute, with a slash at its end for a directory. */
  readonly destination: string
  readonly groups: readonly WriteGroup[]
  /** The layer's own directory: what goes into directories that this job makes is written there, past the mount. */
  readonly upper?: string
  /** The layer is packed as well, into this file, which is there and empty. */
  readonly packInto?: string
  /** What ranges are of. */
  readonly spool?: string
  /** `--chown`, and the owner of directories that are made on the way. */
  readonly owner?: { readonly uid: number; readonly gid: number }
  /** `--chmod`. */
  readonly mode?: FileMode
  /** Only the destination, as a directory of this owner. */
  readonly onlyDirectory?: boolean
}
