/** One step's layer: a snapshot on the layers below, mounted, changed, taken away, packed and committed.
 *  Killed midway: an active snapshot and a bundle that the next boot removes, as it does with a container's. */
import { lstatSync, lutimesSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { isKind, newId } from '../../base/index.ts'
import { type Holds, newStreamIngestKey } from '../../images/index.ts'
import { chainIds, type Digest, mediaTypes } from '../../oci/index.ts'
import { mount, unmountInBackground } from '../../sys/index.ts'
import type { BuildParts } from '../build-parts.ts'
import type { BuiltLayer } from '../built-image.ts'

/** A stage's root, mounted for one step. */
export interface StepRoot {
  /** Names bundle, control group and network of the step. */
  readonly id: string
  readonly rootfs: string
}

export interface MakeLayerOptions {
  readonly below: readonly BuiltLayer[]
  readonly holds: Holds
  /** Times of files after this one become this one: `rewrite-timestamp`. */
  readonly latestNs?: bigint | undefined
  /** Called when the root is mounted no more, with the directory that holds what has changed. */
  readonly afterwards?: (changes: string) => void
}

/** Keys of snapshots of steps that run: what has one at boot was left by a crash. */
export const stepSnapshotPrefix = 'build-step-'

/** Runs `work` on a new layer, and makes what it changed a committed snapshot and a blob. */
export async function makeLayer(
  parts: BuildParts,
  options: MakeLayerOptions,
  work: (root: StepRoot) => Promise<void>,
): Promise<BuiltLayer> {
  const { snapshots, runtime } = parts
  const id = newId()
  const key = stepSnapshotPrefix + id
  const parent = options.below.at(-1)?.chainId
  await snapshots.prepare(key, parent)
  let isCommitted = false
  try {
    const bundle = runtime.bundle(id)
    const rootfs = join(bundle, 'rootfs')
    mkdirSync(rootfs, { recursive: true, mode: 0o700 })
    try {
      // What a crash of the host leaves of a step is worth nothing.
      for (const one of await snapshots.mounts(key, { volatile: true })) mount(one, rootfs)
      await work({ id, rootfs })
    } finally {
      await unmountInBackground(rootfs)
      rmdirSync(rootfs)
      rmdirSync(bundle)
    }
    const changes = snapshots.directory(key)
    options.afterwards?.(changes)
    if (options.latestNs !== undefined) clampTimes(changes, options.latestNs)
    const layer = await commitLayer(parts, key, changes, options)
    isCommitted = true
    return layer
  } finally {
    if (!isCommitted) await snapshots.remove(key)
  }
}

async function commitLayer(
  parts: BuildParts,
  key: string,
  changes: string,
  { below, holds }: MakeLayerOptions,
): Promise<BuiltLayer> {
  const { images, snapshots } = parts
  const { sizeBytes, inodes } = await snapshots.usage(key)
  const ingest = await images.content.ingest(newStreamIngestKey(), { hashing: false })
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
    const diffId = packed.digest
    const chainId = chainIds([...below.map((layer) => layer.diffId), diffId]).at(-1) ?? diffId
    holds.addBlob(diffId)
    holds.addLayer(chainId)
    await ingest.commit({}, diffId)
    // The layers have it already: a step whose outcome is the same again.
    if ((await snapshots.find(chainId)) !== undefined) await snapshots.remove(key)
    else await commitOrDrop(parts, chainId, key, sizeBytes)
    const blob = { mediaType: mediaTypes.ociLayer, digest: diffId, size: packed.sizeBytes }
    return { diffId, chainId, blob, sizeBytes }
  } catch (error) {
    await ingest.abort()
    throw error
  }
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

/** Makes everything below a directory, and itself, at most as young as `latestNs`. Nothing else uses it meanwhile. */
function clampTimes(path: string, latestNs: bigint): void {
  const stats = lstatSync(path, { bigint: true })
  if (stats.isDirectory()) {
    for (const name of readdirSync(path)) clampTimes(join(path, name), latestNs)
  }
  if (stats.mtimeNs <= latestNs) return
  const seconds = Number(latestNs / 1_000_000_000n)
  lutimesSync(path, seconds, seconds)
}

/** The chain id that a layer gets on top of others. */
export function chainIdOn(below: readonly BuiltLayer[], diffId: Digest): Digest {
  return chainIds([...below.map((layer) => layer.diffId), diffId]).at(-1) ?? diffId
}
