/** One step's layer: a snapshot on the layers below, mounted, changed, taken away, packed and committed.
 *  Killed midway: an active snapshot and a bundle that the next boot removes, as it does with a container's. */
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

/** A stage's root, mounted for one step. */
export interface StepRoot {
  /** Names bundle, control group and network of the step. */
  readonly id: string
  readonly rootfs: string
  /** SELinux: for processes that work on it; undefined where there are none. */
  readonly labels: ContainerLabels | undefined
  /** Where to pack the layer to for those who can do it in one go with their work; they give what came of it. */
  readonly pack: { readonly upper: string; readonly packInto: string } | undefined
}

/** A layer that its step has packed. */
export interface PackedByStep {
  readonly sha256: string
  readonly tarBytes: number
  readonly filesBytes: number
}

export interface MakeLayerOptions {
  readonly below: readonly BuiltLayer[]
  readonly holds: Holds
  /** Times of files after this one become this one: `rewrite-timestamp`. */
  readonly latestNs?: bigint | undefined
  /** The root is mounted with the owners of the mapping that processes live under. */
  readonly isMapped?: boolean
  /** The root shows its files under this mount label. */
  readonly labels?: ContainerLabels | undefined
  /** The step packs the layer itself, if nothing is to be done to it before. */
  readonly isPackedByStep?: boolean
  /** Called when the root is mounted no more, with the directory that holds what has changed. */
  readonly afterwards?: (changes: string) => void
}

/** Keys of snapshots of steps that run: what has one at boot was left by a crash. */
export const stepSnapshotPrefix = 'build-step-'

/** Runs `work` on a new layer, and makes what it changed a committed snapshot and a blob. */
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
    // The runtime passes through the bundle as the root user of the mapping.
    makePrivateDirectory(bundle, parts.settings.remap?.root.gid)
    mkdirSync(rootfs, { recursive: true, mode: 0o700 })
    const pack = ingest?.path === undefined ? undefined : { upper: snapshots.directory(key), packInto: ingest.path }
    let packed: PackedByStep | undefined
    try {
      // What a crash of the host leaves of a step is worth nothing.
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
    // The process wrote under the label of this step alone.
    if (parts.labels !== undefined && options.labels !== undefined) await relabelTree(changes, parts.labels.layers)
    if (options.latestNs !== undefined) await clampTimes(changes, options.latestNs)
    const layer =
      ingest !== undefined && packed !== undefined
        ? await commitPacked(parts, key, options, { ...packed, ingest })
        : await commitLayer(parts, key, changes, options)
    isCommitted = true
    return layer
  } finally {
    // Once it is committed there is nothing to abort.
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
        // With a header for each file.
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
  // The layers have it already: a step whose outcome is the same again.
  if ((await parts.snapshots.find(chainId)) !== undefined) await parts.snapshots.remove(key)
  else await commitOrDrop(parts, chainId, key, filesBytes)
  const blob = { mediaType: mediaTypes.ociLayer, digest: diffId, size: tarBytes }
  return { diffId, chainId, blob, sizeBytes: filesBytes }
}

/** Another build may have come to the same layer meanwhile. */
async function commitOrDrop({ snapshots }: BuildParts, chainId: Digest, key: string, sizeBytes: number): Promise<void> {
  try {
    await snapshots.commit(chainId, key, { sizeBytes })
  } catch (error) {
    if (!isKind(error, 'alreadyExists')) throw error
    await snapshots.remove(key)
  }
}

/** The chain id that a layer gets on top of others. */
export function chainIdOn(below: readonly BuiltLayer[], diffId: Digest): Digest {
  return chainIds([...below.map((layer) => layer.diffId), diffId]).at(-1) ?? diffId
}
