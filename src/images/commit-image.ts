/** Commit: a directory of changes becomes one more layer of an image.
 *  Killed midway: an ingest and an unpacked layer without an image, which the next boot removes. */
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

export interface CommitRequest {
  /** The image that the changes are of. */
  readonly parent: Digest
  /** An overlayfs upper directory. */
  readonly directory: string
  /** Paths in it, without leading slash, that are no changes. */
  readonly leaveOut: readonly string[]
  /** About how many bytes the changes are. */
  readonly sizeBytes: number
  readonly config: OciRuntimeDefaults
  readonly author: string
  readonly comment: string
  /** For the history. */
  readonly createdBy: string
  /** Empty: no name. */
  readonly repository: string
  /** Empty: `latest`. */
  readonly tag: string
}

export interface CommittedImage {
  readonly id: Digest
  /** The image's name in its short form; empty without one. */
  readonly reference: string
}

/** Makes the image. Throws `notFound` when its parent is not there any more. */
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

/** Packs, stores and unpacks the changes in one pass; undefined when there are none. */
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
