/** The image after a step, kept in the store without a name. Docker's classic builder keeps one after each step and
 *  tells clients its id. If the daemon dies between two steps, the images so far remain until `image prune` removes
 *  them. */
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

/** A step's image to keep. */
export interface StepImage {
  readonly config: OciImageConfig
  readonly layers: readonly BuiltLayer[]
  /** Id of the image of the previous step. */
  readonly parent: Digest | undefined
}

/** Stores the image unless the store has it already, and gives its id. The caller must hold the layers. */
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
