/** Commits a container: its directory of changes becomes one more layer of an image.
 *  If the daemon dies midway, an ingest and an unpacked layer without an image remain; the next boot removes them. */
import { tarEnd } from '../archive/index.ts'
import { formatNs, internal, notFound, nowNs } from '../base/index.ts'
import type { Lease } from '../content/index.ts'
import {
  chainIds,
  type Digest,
  digestOf,
  familiarReference,
  type OciImageConfig,
  type OciRuntimeDefaults,
  type Reference,
} from '../oci/index.ts'
import { layerType } from './archive/archived-image-loader.ts'
import type { ImageLayer, ImageRecord } from './catalog/image.ts'
import { nameFrom } from './catalog/image-name.ts'
import { newStreamIngestKey } from './catalog/ingest-keys.ts'
import type { ImageParts } from './images.ts'
import { storeImage } from './make/import-image.ts'

/** The changes to commit, and the image to make of them. */
export interface CommitRequest {
  /** Id of the image that the container was made from. */
  readonly parent: Digest
  /** The directory of changes: an overlayfs upper directory. */
  readonly directory: string
  /** Paths in it, without a leading slash, that are not part of the changes. */
  readonly leaveOut: readonly string[]
  /** Estimated size of the changes in bytes. */
  readonly sizeBytes: number
  readonly config: OciRuntimeDefaults
  readonly author: string
  readonly comment: string
  /** The entry of this step in the image's history. */
  readonly createdBy: string
  /** Repository of the new name; empty for no name. */
  readonly repository: string
  /** Tag of the new name; empty for `latest`. */
  readonly tag: string
}

/** The image that a commit made. */
export interface CommittedImage {
  readonly id: Digest
  /** Short form of the image's name; empty without one. */
  readonly reference: string
}

/** Makes an image of a container's changes and stores it with its name. Throws `notFound` when the parent image is
 *  gone. */
export async function commitImage(parts: ImageParts, request: CommitRequest): Promise<CommittedImage> {
  const { repository, tag } = request
  const name = repository === '' ? undefined : nameFrom(repository, tag)
  const id = await parts.gate.make(() => make(parts, request, name))
  return { id, reference: name === undefined ? '' : familiarReference(name) }
}

async function make(parts: ImageParts, request: CommitRequest, name: Reference | undefined): Promise<Digest> {
  using lease = parts.leases.create()
  const parent = parts.store.findRecord(request.parent)
  if (parent === undefined) throw notFound(`No such image: ${request.parent}`)
  for (const { blob, chainId } of parent.layers) {
    lease.add({ kind: 'blob', key: blob.digest })
    lease.add({ kind: 'snapshot', key: chainId })
  }
  const added = await packLayer(parts, request, parent, lease)
  const layers = added === undefined ? parent.layers : [...parent.layers, added]
  return await storeImage(parts, configOf(request, parent, layers), layers, name, request.parent)
}

/** Packs, stores and unpacks the changes in one pass. Undefined when there are none. */
async function packLayer(
  { content, layers, pool }: ImageParts,
  { directory, leaveOut, sizeBytes }: CommitRequest,
  parent: ImageRecord,
  lease: Lease,
): Promise<ImageLayer | undefined> {
  const ingest = await content.ingest(newStreamIngestKey(), { hashing: false })
  const staged = await layers.stage()
  try {
    const source = { from: 'directory', path: directory, leaveOut, output: ingest.path, sizeBytes } as const
    const packed = await pool.run({ source, targetDir: staged.directory })
    const { digest, unpacked } = packed
    if (unpacked === undefined) throw internal('a packed layer was not unpacked')
    if (digest === emptyLayer) {
      await ingest.abort()
      await layers.unstage(staged)
      return undefined
    }
    const { diffId } = unpacked
    const below = parent.layers.at(-1)?.chainId
    const chainId = chainIds([...parent.layers.map((layer) => layer.diffId), diffId]).at(-1) ?? diffId
    lease.add({ kind: 'blob', key: digest })
    lease.add({ kind: 'snapshot', key: chainId })
    await ingest.commit({}, digest)
    await layers.commit(staged, { chainId, parent: below }, unpacked)
    const blob = { mediaType: layerType(unpacked), digest, size: packed.sizeBytes }
    return { diffId, chainId, blob, sizeBytes: unpacked.sizeBytes }
  } catch (error) {
    await ingest.abort()
    await layers.unstage(staged)
    throw error
  }
}

const emptyLayer = digestOf(tarEnd)

function configOf(
  { config, author, comment, createdBy }: CommitRequest,
  parent: ImageRecord,
  layers: readonly ImageLayer[],
): OciImageConfig {
  const created = formatNs(nowNs())
  const { architecture, os, variant, history = [] } = parent.config
  const isEmpty = layers.length === parent.layers.length
  return {
    architecture,
    ...(author === '' ? {} : { author }),
    ...(comment === '' ? {} : { comment }),
    config,
    created,
    history: [
      ...history,
      {
        created,
        ...(author === '' ? {} : { author }),
        created_by: createdBy,
        ...(comment === '' ? {} : { comment }),
        ...(isEmpty ? { empty_layer: true } : {}),
      },
    ],
    os,
    ...platformExtras(parent.config),
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffId) },
    ...(variant === undefined ? {} : { variant }),
  }
}

function platformExtras(config: OciImageConfig): Pick<OciImageConfig, 'os.version' | 'os.features'> {
  const { 'os.version': version, 'os.features': features } = config
  return {
    ...(version === undefined ? {} : { 'os.version': version }),
    ...(features === undefined ? {} : { 'os.features': features }),
  }
}
