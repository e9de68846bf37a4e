/** Makes the layer of one step: prepares a snapshot on the layers below, mounts it, lets the step change it, unmounts
 *  it, packs the changes and commits the snapshot. If the daemon dies midway, the next boot removes the active snapshot
 *  and the bundle, as it does for containers. */
import { mkdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { isKind, newId } from '../../base/index.ts'
import type { Ingest } from '../../content/index.ts'
import { type Holds, newStreamIngestKey } from '../../images/index.ts'
import { chainIds, type Digest, digestFromHex, hexOf, mediaTypes } from '../../oci/index.ts'
import type { ContainerLabels } from '../../runtime/index.ts'
import { makePrivateDirectory, mount, relabelTree, unmountInBackground } from '../../sys/index.ts'
import type { BuildParts } from '../model/build-parts.ts'
import type { BuiltLayer } from '../model/built-image.ts'
import { clampTimes } from './clamp-times.ts'

/** The stage's root filesystem, mounted for one step. */
export interface StepRoot {
  /** Names the step's bundle, control group and network. */
  readonly id: string
  readonly rootfs: string
  /** SELinux labels for processes in this root. Undefined without SELinux. */
  readonly labels: ContainerLabels | undefined
  /** Present when the step may pack the layer while it writes files. `upper` is the directory of changes, `packInto`
   *  the file for the tar. Such a step returns `PackedByStep`. */
  readonly pack: { readonly upper: string; readonly packInto: string } | undefined
}

/** The layer as packed by its step. */
export interface PackedByStep {
  readonly sha256: string
  readonly tarBytes: number
  readonly filesBytes: number
}

/** How `makeLayer` makes a layer. */
export interface MakeLayerOptions {
  readonly below: readonly BuiltLayer[]
  readonly holds: Holds
  /** For `rewrite-timestamp`: later modification times are lowered to this, in nanoseconds since the epoch. */
  readonly latestNs?: bigint | undefined
  /** Mount the root with the owners of the user mapping that RUN's processes have. */
  readonly isMapped?: boolean
  /** Mount the root with this SELinux label. */
  readonly labels?: ContainerLabels | undefined
  /** Let the step pack the layer, when nothing has to be changed afterwards. */
  readonly isPackedByStep?: boolean
  /** Called after the unmount, with the directory of changes, before they are packed. */
  readonly afterwards?: (changes: string) => void
}

/** Prefix of the keys of active snapshots. The next boot removes all snapshots with such keys that a crash left
 *  behind. */
export const stepSnapshotPrefix = 'build-step-'

/** Runs `work` on a new snapshot. Then commits what it changed as a snapshot and stores it as a blob. */
export async function makeLayer(
  parts: BuildParts,
  options: MakeLayerOptions,
  work: (root: StepRoot) => Promise<PackedByStep | undefined>,
): Promise<BuiltLayer> {
  const { snapshots, runtime } = parts
  const id = newId()
  const key = stepSnapshotPrefix + id
  const parent = options.below.at(-1)?.chainId
  await snapshots.prepare(key, parent, { sizeBytes: parts.settings.layerSizeBytes })
  let isCommitted = false
  const isEarly = options.isPackedByStep === true && options.latestNs === undefined
  const ingest = isEarly ? await newIngest(parts) : undefined
  try {
    const bundle = runtime.bundle(id)
    const rootfs = join(bundle, 'rootfs')
    // The runtime traverses the bundle as the mapping's root user.
    makePrivateDirectory(bundle, parts.settings.remap?.root.gid)
    mkdirSync(rootfs, { recursive: true, mode: 0o700 })
    const pack = ingest === undefined ? undefined : { upper: snapshots.directory(key), packInto: ingest.path }
    let packed: PackedByStep | undefined
    try {
      // The changes need not survive a crash of the host, so overlayfs can skip syncing.
      const mapped = options.isMapped === true
      for (const one of await snapshots.mounts(key, { volatile: true, mapped, label: options.labels?.mount })) {
        mount(one, rootfs)
      }
      packed = await work({ id, rootfs, labels: options.labels, pack })
    } finally {
      await unmountInBackground(rootfs)
      rmdirSync(rootfs)
      rmdirSync(bundle)
    }
    const changes = snapshots.directory(key)
    options.afterwards?.(changes)
    // Files that the process wrote have the label of this step. Give them the label that all containers can read.
    if (parts.labels !== undefined && options.labels !== undefined) await relabelTree(changes, parts.labels.layers)
    if (options.latestNs !== undefined) await clampTimes(changes, options.latestNs)
    const layer =
      ingest !== undefined && packed !== undefined
        ? await commitPacked(parts, key, options, { ...packed, ingest })
        : await commitLayer(parts, key, changes, options)
    isCommitted = true
    return layer
  } finally {
    // After the commit there is nothing to abort.
    await ingest?.abort()
    if (!isCommitted) await snapshots.remove(key)
  }
}

function newIngest({ images }: BuildParts): Promise<Ingest> {
  return images.content.ingest(newStreamIngestKey(), { hashing: false })
}

async function commitLayer(
  parts: BuildParts,
  key: string,
  changes: string,
  options: MakeLayerOptions,
): Promise<BuiltLayer> {
  const { images, snapshots } = parts
  const { sizeBytes, inodes } = await snapshots.usage(key)
  const ingest = await newIngest(parts)
  try {
    const packed = await images.pool.run({
      source: {
        from: 'directory',
        path: changes,
        leaveOut: [],
        output: ingest.path ?? '',
        // Add room for each file's tar header.
        sizeBytes: sizeBytes + inodes * 1024,
      },
    })
    const sha256 = hexOf(packed.digest)
    return await commitPacked(parts, key, options, {
      ingest,
      sha256,
      tarBytes: packed.sizeBytes,
      filesBytes: sizeBytes,
    })
  } finally {
    await ingest.abort()
  }
}

async function commitPacked(
  parts: BuildParts,
  key: string,
  { below, holds }: MakeLayerOptions,
  { ingest, sha256, tarBytes, filesBytes }: PackedByStep & { readonly ingest: Ingest },
): Promise<BuiltLayer> {
  const diffId = digestFromHex(sha256)
  const chainId = chainIdOn(below, diffId)
  holds.addBlob(diffId)
  holds.addLayer(chainId)
  await ingest.commit({}, diffId)
  // The stack below already ends with this layer, because the step gave the same result again.
  if ((await parts.snapshots.find(chainId)) !== undefined) await parts.snapshots.remove(key)
  else await commitOrDrop(parts, chainId, key, filesBytes)
  const blob = { mediaType: mediaTypes.ociLayer, digest: diffId, size: tarBytes }
  return { diffId, chainId, blob, sizeBytes: filesBytes }
}

/** Another build may have committed the same layer meanwhile. Then this snapshot is removed. */
async function commitOrDrop({ snapshots }: BuildParts, chainId: Digest, key: string, sizeBytes: number): Promise<void> {
  try {
    await snapshots.commit(chainId, key, { sizeBytes })
  } catch (error) {
    if (!isKind(error, 'alreadyExists')) throw error
    await snapshots.remove(key)
  }
}

/** The chain id of a layer on top of the layers `below`. */
export function chainIdOn(below: readonly BuiltLayer[], diffId: Digest): Digest {
  return chainIds([...below.map((layer) => layer.diffId), diffId]).at(-1) ?? diffId
}
