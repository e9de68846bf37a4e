/** Pulls an image: fetches manifest, config and layers of one reference, then stores one row. */
import { type AbortOptions, BerthError, invalidArgument } from '../../base/index.ts'
import type { Lease, Leases, LocalContentStore } from '../../content/index.ts'
import type { ProgressOptions } from '../../contract/index.ts'
import {
  algorithmOf,
  chainIds,
  type Descriptor,
  type Digest,
  defaultRegistry,
  familiarName,
  familiarReference,
  formatPlatform,
  formatReference,
  hostPlatform,
  isConfigType,
  isIndexType,
  isLayerType,
  type Manifest,
  type OciImageConfig,
  type Platform,
  parseImageConfig,
  platformOfConfig,
  platformRank,
  type Reference,
  withDigest,
  withTag,
} from '../../oci/index.ts'
import {
  type BlobOrigin,
  pullError,
  type RegistryAuth,
  type RegistryClient,
  type Repository,
} from '../../registry/client/index.ts'
import type { ImageLayer, ImageRecord } from '../catalog/image.ts'
import type { ImageStore } from '../catalog/image-store.ts'
import { asMember } from '../catalog/index-members.ts'
import type { LayerOrigin, LayerStack, WantedLayer } from '../layers/layer-stack.ts'
import { type ChosenManifest, ManifestChooser } from './choose-manifest.ts'
import { readVerified } from './read-verified.ts'

/** What pulling needs. */
export interface PullDependencies {
  readonly store: ImageStore
  readonly content: LocalContentStore
  readonly leases: Leases
  readonly layers: LayerStack
  readonly registries: RegistryClient
}

/** How to pull. */
export interface PullRequest extends ProgressOptions {
  readonly platform?: Platform | undefined
  readonly auth?: RegistryAuth | undefined
  /** The pull is for a build of another platform: a name that stands for an image of this host's platform keeps it. */
  readonly isBeside?: boolean
}

/** A pulled reference. */
export interface Pulled {
  readonly reference: Reference
  readonly id: Digest
}

const maxConfigBytes = 8 << 20

/** Pulls one tag or digest, or all tags of the repository when `wanted` has neither. Calls `onPulled` for each one. */
export async function pullImages(
  deps: PullDependencies,
  wanted: Reference,
  request: PullRequest,
  onPulled: (pulled: Pulled) => void,
): Promise<void> {
  if (wanted.registry === defaultRegistry && wanted.repository === 'library/scratch') {
    throw new BerthError('forbidden', "'scratch' is a reserved name")
  }
  const repository = deps.registries.repository(wanted, request.auth)
  const onProgress = request.onProgress ?? (() => {})
  let isNewer = false
  const warnings: string[] = []
  for (const reference of await referencesOf(repository, wanted, request)) {
    const pulled = await pullOne(deps, repository, reference, request)
    onPulled({ reference, id: pulled.record.id })
    isNewer ||= pulled.isNewer
    if (!suits(pulled.record, request)) warnings.push(platformWarning(reference, pulled.record, request))
  }
  const said = isNewer ? 'Downloaded newer image for' : 'Image is up to date for'
  onProgress({ status: `Status: ${said} ${familiarReference(wanted)}` })
  for (const status of warnings) onProgress({ status })
}

async function referencesOf(
  repository: Repository,
  wanted: Reference,
  { signal }: PullRequest,
): Promise<readonly Reference[]> {
  if (wanted.tag !== undefined || wanted.digest !== undefined) return [wanted]
  const tags = await named(wanted, () => repository.listTags({ signal }))
  return tags.map((tag) => withTag(wanted, tag))
}

async function pullOne(
  deps: PullDependencies,
  repository: Repository,
  reference: Reference,
  request: PullRequest,
): Promise<{ readonly record: ImageRecord; readonly isNewer: boolean }> {
  const onProgress = request.onProgress ?? (() => {})
  using lease = deps.leases.create()
  const { platform = hostPlatform(), signal } = request
  const chooser = new ManifestChooser(deps.content, repository, reference, { platform, signal, lease })
  const chosen = await named(reference, () => chooser.choose())
  const id = reference.digest === undefined ? reference.tag : formatReference(withDigest(reference, reference.digest))
  onProgress({ status: `Pulling from ${reference.repository}`, id })
  const record = await complete(deps, repository, chosen, request, lease)
  const byDigest = withDigest(reference, chosen.target.digest)
  const names = reference.digest === undefined ? [byDigest, reference] : [byDigest]
  const isNewer = deps.store.names.find(names.at(-1) ?? byDigest)?.imageId !== record.id
  const isMember = request.isBeside === true && isIndexType(chosen.target.mediaType)
  const ownNames = isMember ? names.filter((name) => !isForHost(deps.store, name)) : names
  deps.store.put(
    isMember ? asMember(deps.store, record, chosen.target.digest) : record,
    ownNames.map((name) => ({ reference: name, target: chosen.target })),
  )
  onProgress({ status: `Digest: ${chosen.target.digest}` })
  return { record, isNewer }
}

/** True when the name stands for an image that this host can run. */
function isForHost(store: ImageStore, name: Reference): boolean {
  const named = store.names.find(name)
  const image = named === undefined ? undefined : store.find(named.imageId)
  return image !== undefined && platformRank(hostPlatform(), image.platform) !== undefined
}

/** Runs `work`. Errors of the registry get Docker's text for that reference. */
async function named<T>(reference: Reference, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw pullError(error, familiarName(reference), familiarReference(reference))
  }
}

/** False when the image is for another platform than requested: an image without an index is pulled whatever its
 *  platform is, and the client gets a warning. */
function suits({ config }: ImageRecord, { platform }: PullRequest): boolean {
  return platform === undefined || platformRank(platform, platformOfConfig(config)) !== undefined
}

function platformWarning(reference: Reference, { config }: ImageRecord, { platform }: PullRequest): string {
  const found = formatPlatform(platformOfConfig(config))
  const wanted = platform === undefined ? '' : formatPlatform(platform)
  const name = familiarReference(reference)
  return `WARNING: image with reference ${name} was found but its platform (${found}) does not match the specified platform (${wanted})`
}

async function complete(
  deps: PullDependencies,
  repository: Repository,
  { descriptor, manifest }: ChosenManifest,
  request: PullRequest,
  lease: Lease,
): Promise<ImageRecord> {
  const { config: configDescriptor } = manifest
  if (!isConfigType(configDescriptor.mediaType)) {
    throw invalidArgument(`unsupported media type ${configDescriptor.mediaType}: this is not a container image`)
  }
  lease.add({ kind: 'blob', key: configDescriptor.digest })
  const known = deps.store.findRecord(configDescriptor.digest)
  const config = known?.config ?? (await fetchConfig(deps, repository, configDescriptor, request))
  const wanted = wantedLayers(manifest, config)
  for (const { blob, chainId } of wanted) {
    lease.add({ kind: 'blob', key: blob.digest })
    lease.add({ kind: 'snapshot', key: chainId })
  }
  const layers = (await presentLayers(deps, wanted, known)) ?? (await obtainAll(deps, repository, wanted, request))
  return {
    version: 1,
    id: configDescriptor.digest,
    config,
    configSize: configDescriptor.size,
    manifest: descriptor,
    layers,
    ...(known?.parent === undefined ? {} : { parent: known.parent }),
    lastTagTime: known?.lastTagTime ?? '',
  }
}

async function fetchConfig(
  { content }: PullDependencies,
  repository: Repository,
  descriptor: Descriptor,
  { signal }: AbortOptions,
): Promise<OciImageConfig> {
  if (descriptor.size > maxConfigBytes) throw invalidArgument(`image config of ${descriptor.size} bytes is too large`)
  // An interrupted pull may have left it. The lease holds it by now.
  const stored = await readVerified(content, descriptor.digest)
  if (stored !== undefined) return parseImageConfig(stored)
  const bytes = await repository.fetchBlob(descriptor, { signal })
  await content.put(bytes, algorithmOf(descriptor.digest))
  return parseImageConfig(bytes)
}

function wantedLayers({ layers }: Manifest, { rootfs }: OciImageConfig): WantedLayer[] {
  if (layers.length !== rootfs.diff_ids.length) {
    throw invalidArgument("layers from manifest don't match image configuration")
  }
  const chain = chainIds(rootfs.diff_ids)
  return layers.map((blob, at) => {
    const diffId = rootfs.diff_ids[at]
    const chainId = chain[at]
    if (diffId === undefined || chainId === undefined || !isLayerType(blob.mediaType)) {
      throw invalidArgument(`unsupported layer media type ${blob.mediaType}`)
    }
    return { blob, diffId, chainId, parent: chain[at - 1] }
  })
}

/** The layers of an image if all of them are stored: no progress is reported for them then. */
async function presentLayers(
  { content, layers }: PullDependencies,
  wanted: readonly WantedLayer[],
  known: ImageRecord | undefined,
): Promise<ImageLayer[] | undefined> {
  if (known === undefined) return undefined
  const present: ImageLayer[] = []
  for (const [at, { blob, diffId, chainId }] of wanted.entries()) {
    const layer = known.layers[at]
    if (layer === undefined || (await content.find(blob.digest)) === undefined || !(await layers.has(chainId))) {
      return undefined
    }
    present.push({ diffId, chainId, blob, sizeBytes: layer.sizeBytes })
  }
  return present
}

async function obtainAll(
  deps: PullDependencies,
  repository: Repository,
  wanted: readonly WantedLayer[],
  request: PullRequest,
): Promise<ImageLayer[]> {
  // One failure cancels the other layers, because the pull fails anyway.
  const abort = new AbortController()
  const signal = request.signal === undefined ? abort.signal : AbortSignal.any([request.signal, abort.signal])
  const prepared = await Promise.all(
    wanted.map(async (layer) => {
      const { digest, urls } = layer.blob
      // Without the signal: another pull may share this layer and go on when this pull is canceled.
      const origin = await repository.blobOrigin(digest, { urls })
      return { layer, origin, isHere: await deps.layers.isHere(layer) }
    }),
  )
  const onProgress = request.onProgress ?? (() => {})
  // All at once, so that each layer finds the one below it.
  const all = prepared.map(async ({ layer, origin, isHere }): Promise<ImageLayer> => {
    const { sizeBytes } = await deps.layers.obtain(layer, { origin: originOf(origin), isHere, onProgress, signal })
    return { diffId: layer.diffId, chainId: layer.chainId, blob: layer.blob, sizeBytes }
  })
  try {
    return await Promise.all(all)
  } catch (error) {
    abort.abort()
    await Promise.allSettled(all)
    throw error
  }
}

function originOf(origin: BlobOrigin): LayerOrigin {
  return { authorize: (problem) => origin.authorize(problem), distrust: () => origin.distrust() }
}
