/** Snapshots: states of a file system, each based on a parent.
 *
 *  An *active* snapshot has a key and is being changed: a container's writable layer, or a layer that is being
 *  unpacked. `commit` turns it into a *committed* one, which has a name (a chain ID), never changes again and can be a
 *  parent.
 *
 *    prepare('unpack-1') → files written into directory('unpack-1') → commit(chainId, 'unpack-1', { parent })
 *    prepare(containerId, chainId) → mounts(containerId) → … → remove(containerId)
 *
 *  Keys and names share one space. A snapshot that is a parent of others can't be removed. */
import type { SnapshotKind } from '../store/index.ts'
import type { Mount } from '../sys/index.ts'

/** Facts of a snapshot. */
export interface SnapshotInfo {
  /** The key of an active snapshot, the name of a committed one. */
  readonly key: string
  readonly kind: SnapshotKind
  readonly parent: string | undefined
  readonly created: Date
  /** The size in bytes that `commit` was given, or undefined. */
  readonly sizeBytes: number | undefined
}

/** The disk use of a snapshot, without its parents. */
export interface SnapshotUsage {
  /** Sum of the sizes of its files; a file with several names counts once. */
  readonly sizeBytes: number
  readonly inodes: number
}

/** Options of `prepare`. */
export interface PrepareOptions {
  /** Limit of the bytes that may be written to it; 0 or absent means no limit. */
  readonly sizeBytes?: number | undefined
}

/** Options of `commit`. */
export interface CommitOptions {
  /** The parent of a snapshot that was prepared without one: layers are unpacked before the layers below them are
   *  there. */
  readonly parent?: string | undefined
  /** Directories in the snapshot, parents first, that exist only because files in them needed a place. They take owner
   *  and mode of the same directory in the layers below. */
  readonly impliedDirectories?: readonly string[] | undefined
  /** The size in bytes to keep in `SnapshotInfo`. */
  readonly sizeBytes?: number | undefined
}

/** Options of `mounts`. */
export interface MountOptions {
  /** Mount an active snapshot read-only; another mount may write to it at the same time. */
  readonly readOnly?: boolean
  /** The content is worthless after a crash of the host (a container with `--rm`), so the kernel may skip all syncing.
   *  This also makes the unmount cheap. */
  readonly volatile?: boolean
  /** Show the owners of the containers' user namespace instead of those of the host. */
  readonly mapped?: boolean
  /** Give all files this SELinux label; with '' or undefined they keep their own. */
  readonly label?: string | undefined
}

/** Makes, mounts and removes snapshots. Methods that take a key throw `notFound` for an unknown one, unless they say
 *  otherwise. */
export interface Snapshotter {
  /** Makes an active snapshot on `parent`. Throws `alreadyExists` for a key that is taken, `notFound` for an unknown
   *  parent, `conflict` for a parent that is not committed, and `invalidArgument` for a size that the file system can't
   *  enforce. The size limit ends with the commit. */
  prepare(key: string, parent?: string, options?: PrepareOptions): Promise<void>
  /** The mounts that show the content, to be made one after another. Makes no mount itself and may be called
   *  repeatedly. */
  mounts(key: string, options?: MountOptions): Promise<readonly Mount[]>
  /** Runs `work`, which mounts the snapshot for writing. Meanwhile a snapshot with a size limit gets some extra room,
   *  because even the mount of a full one must write. */
  withRoom<T>(key: string, work: () => T): T
  /** The directory with the snapshot's own files: an unpacker writes into it (active), others read the layer from
   *  it. */
  directory(key: string): string
  /** Makes the active snapshot `key` the committed snapshot `name`. Throws `alreadyExists` for a name that is taken,
   *  and `conflict` for a snapshot that is not active or has another parent. */
  commit(name: string, key: string, options?: CommitOptions): Promise<void>
  /** Removes a snapshot, which must not be mounted any more; no error when there is none. Throws `conflict` when it is
   *  a parent of others. Its files are deleted later, in the background. */
  remove(key: string): Promise<void>
  /** Facts of a snapshot, or undefined when there is none. */
  find(key: string): Promise<SnapshotInfo | undefined>
  /** Measures the snapshot's own files. */
  usage(key: string): Promise<SnapshotUsage>
  /** Every snapshot, oldest first. */
  walk(): AsyncIterable<SnapshotInfo>
}
