/** The image that a step ends with, kept as one of the engine's without a name: for clients that are told of each step's
 *  id, as Docker's classic builder keeps it. Killed between two steps: the images so far, which a prune of images takes. */
import type { Holds, ImageParts, ImageRecord } from '../../images/index.ts'
import {
  type Digest,
  digestOf,
  formatManifest,
  type Manifest,
  mediaTypes,
  type OciImageConfig,
} from '../../oci/index.ts'
import type { BuiltLayer } from '../model/built-image.ts'

export interface StepImage {
  readonly config: OciImageConfig
  readonly layers: readonly BuiltLayer[]
  /** The image of the step before. */
  readonly parent: Digest | undefined
}

/** Keeps it; gives its id. One that is here already stays as it is. Layers must be held. */
export async function keepStepImage(
  { store, content }: Pick<ImageParts, 'store' | 'content'>,
  holds: Holds,
  { config, layers, parent }: StepImage,
): Promise<Digest> {
  const bytes = Buffer.from(JSON.stringify(config))
  const id = digestOf(bytes)
  if (store.findRecord(id) !== undefined) return id
  const made: Manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest: id, size: bytes.length },
    layers: layers.map(({ blob }) => blob),
  }
  const manifestBytes = formatManifest(made)
  const manifest = { mediaType: made.mediaType, digest: digestOf(manifestBytes), size: manifestBytes.length }
  for (const { digest } of [made.config, manifest]) holds.addBlob(digest)
  await content.put(bytes)
  await content.put(manifestBytes)
  const record: ImageRecord = {
    version: 1,
    id,
    config,
    configSize: bytes.length,
    manifest,
    isManifestMade: true,
    layers: layers.map(({ diffId, chainId, blob, sizeBytes }) => ({ diffId, chainId, blob, sizeBytes })),
    isIntermediate: true,
    ...(parent === undefined ? {} : { parent }),
    lastTagTime: '',
  }
  store.put(record)
  return id
}
