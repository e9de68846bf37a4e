/** Snapshots: states of a file system that stand on each other.
 *
 *  An *active* snapshot has a key and is being changed: a container's writable layer, or a layer that is being
 *  unpacked. `commit` turns it into a *committed* one, which has a name (a chain ID), never changes again and
 *  can be a parent.
 *
 *    prepare('unpack-1') → files written into directory('unpack-1') → commit(chainId, 'unpack-1', { parent })
 *    prepare(containerId, chainId) → mounts(containerId) → … → remove(containerId)
 *
 *  Keys and names share one space. A snapshot on which others stand can't be removed. */
import type { SnapshotKind } from '../store/index.ts'
import type { Mount } from '../sys/index.ts'

export interface SnapshotInfo {
  /** Key, or name of a committed one. */
  readonly key: string
  readonly kind: SnapshotKind
  readonly parent: string | undefined
  readonly created: Date
  /** The size that `commit` was told, or undefined. */
  readonly sizeBytes: number | undefined
}

/** What a snapshot itself takes, without its parents. */
export interface SnapshotUsage {
  /** Sum of the sizes of its files; a file with several names counts once. */
  readonly sizeBytes: number
  readonly inodes: number
}

export interface PrepareOptions {
  /** How much may be written to it; nothing, or 0: as much as there is. */
  readonly sizeBytes?: number | undefined
}

export interface CommitOptions {
  /** Sets the parent of a snapshot that was prepared without one: layers are unpacked before those below them are
   *  there. */
  readonly parent?: string | undefined
  /** Directories in the snapshot, parents first, that were only made because files needed them: they take over owner
   *  and mode of the same directory below. */
  readonly impliedDirectories?: readonly string[] | undefined
  /** Noted down in the info. */
  readonly sizeBytes?: number | undefined
}

export interface MountOptions {
  /** Mount an active snapshot so that nothing can be written; it may be mounted for writing elsewhere. */
  readonly readOnly?: boolean
  /** The content is worthless after a crash of the host (a container with `--rm`): the kernel may then leave out
   *  all syncing, which also makes the unmount cheap. */
  readonly volatile?: boolean
  /** Show the owners that a container's user namespace has (`MappedLayers`). */
  readonly mapped?: boolean
  /** Show all files under this label of SELinux, whatever they have themselves; '' and undefined: under their own. */
  readonly label?: string | undefined
}

/** Makes and ends snapshots. */
export interface Snapshotter {
  /** A new active snapshot on `parent`. Throws `alreadyExists`, `notFound` when there is no such parent, `invalidArgument`
   *  for a size where the file system can't hold to it. A size counts until the commit. */
  prepare(key: string, parent?: string, options?: PrepareOptions): Promise<void>
  /** What to mount to get at the content, one after another. Repeatable; mounts nothing itself. */
  mounts(key: string, options?: MountOptions): Promise<readonly Mount[]>
  /** Runs `work`, which mounts a snapshot for writing: one that has a size has some room for that, even when it is full. */
  withRoom<T>(key: string, work: () => T): T
  /** The directory with the snapshot's own files: what an unpacker writes into (active), or reads the layer from. */
  directory(key: string): string
  /** Makes the active snapshot `key` the committed `name`. Throws `alreadyExists` when there is one of that name. */
  commit(name: string, key: string, options?: CommitOptions): Promise<void>
  /** Removes a snapshot, which must not be mounted any more. No error when there is none; `conflict` when others stand
   *  on it. Its files are deleted later, in the background. */
  remove(key: string): Promise<void>
  /** Facts of a snapshot, or undefined when there is none. */
  find(key: string): Promise<SnapshotInfo | undefined>
  usage(key: string): Promise<SnapshotUsage>
  /** Every snapshot, oldest first. */
  walk(): AsyncIterable<SnapshotInfo>
}
