/** Pull: manifest, config and layers of one reference, then one row. */
import { type AbortOptions, BerthError, invalidArgument, isBerthError } from '../base/index.ts'
import type { Lease, Leases, LocalContentStore } from '../content/index.ts'
import {
  algorithmOf,
  bestPlatform,
  chainIds,
  type Descriptor,
  type Digest,
  familiarName,
  familiarReference,
  formatPlatform,
  hostPlatform,
  isConfigType,
  isLayerType,
  type Manifest,
  type OciImageConfig,
  type Platform,
  parseImageConfig,
  parseManifestDocument,
  type Reference,
  schema1Refused,
  withDefaultTag,
  withDigest,
} from '../oci/index.ts'
import { pullError, type RegistryAuth, type RegistryClient, type Repository } from '../registry/client/index.ts'
import type { ImageLayer, ImageRecord } from './image.ts'
import type { ImageStore } from './image-store.ts'
import type { LayerStack, WantedLayer } from './layer-stack.ts'
import type { ProgressOptions } from './progress.ts'

export interface PullDependencies {
  readonly store: ImageStore
  readonly content: LocalContentStore
  readonly leases: Leases
  readonly layers: LayerStack
  readonly registries: RegistryClient
}

export interface PullRequest extends ProgressOptions {
  readonly platform?: Platform | undefined
  readonly auth?: RegistryAuth | undefined
}

interface Chosen {
  /** What the name will stand for: the index, if there is one. */
  readonly target: Descriptor
  readonly descriptor: Descriptor
  readonly manifest: Manifest
}

const maxConfigBytes = 8 << 20

/** Pulls one image; gives its id. */
export async function pullImage(deps: PullDependencies, wanted: Reference, request: PullRequest): Promise<Digest> {
  const reference = withDefaultTag(wanted)
  const onProgress = request.onProgress ?? (() => {})
  const repository = deps.registries.repository(reference, request.auth)
  using lease = deps.leases.create()
  let chosen: Chosen
  try {
    chosen = await choose(deps, repository, reference, request, lease)
  } catch (error) {
    throw pullError(error, familiarName(reference), familiarReference(reference))
  }
  onProgress({ status: `Pulling from ${reference.repository}`, id: reference.digest ?? reference.tag })
  const record = await complete(deps, repository, chosen, request, lease)
  const names = [withDigest(reference, chosen.target.digest), ...(reference.digest === undefined ? [reference] : [])]
  deps.store.put(
    record.record,
    names.map((name) => ({ reference: name, target: chosen.target })),
  )
  onProgress({ status: `Digest: ${chosen.target.digest}` })
  const said = record.isNewer ? 'Downloaded newer image for' : 'Image is up to date for'
  onProgress({ status: `Status: ${said} ${familiarReference(reference)}` })
  return record.record.id
}

/** Every tag of a repository, for a pull without a tag. */
export async function listTags(
  deps: PullDependencies,
  reference: Reference,
  request: PullRequest,
): Promise<readonly string[]> {
  try {
    return await deps.registries.repository(reference, request.auth).listTags(request)
  } catch (error) {
    throw pullError(error, familiarName(reference), familiarReference(reference))
  }
}

/** Fetches the manifest for the platform, through the index if there is one. */
async function choose(
  { content }: PullDependencies,
  repository: Repository,
  reference: Reference,
  { platform = hostPlatform(), signal }: PullRequest,
  lease: Lease,
): Promise<Chosen> {
  const keep = async (bytes: Buffer, digest: Digest) => {
    lease.add({ kind: 'blob', key: digest })
    await content.put(bytes, algorithmOf(digest))
  }
  const top = await repository.fetchManifest(reference.digest ?? reference.tag ?? '', { signal })
  await keep(top.bytes, top.descriptor.digest)
  const document = parse(top.bytes, top.descriptor.mediaType, reference)
  if (document.type === 'manifest') {
    return { target: top.descriptor, descriptor: top.descriptor, manifest: document.manifest }
  }
  const candidates = document.index.manifests.filter((one) => one.platform?.os !== 'unknown')
  const entry = bestPlatform(platform, candidates, (one) => one.platform)
  if (entry === undefined) {
    throw new BerthError(
      'notFound',
      `no matching manifest for ${formatPlatform(platform)} in the manifest list entries`,
    )
  }
  const inner = await repository.fetchManifest(entry.digest, { signal })
  await keep(inner.bytes, inner.descriptor.digest)
  const manifest = parse(inner.bytes, entry.mediaType, reference)
  if (manifest.type !== 'manifest') throw invalidArgument('index points to another index')
  return {
    target: top.descriptor,
    descriptor: { ...inner.descriptor, platform: entry.platform ?? platform },
    ...manifest,
  }
}

function parse(bytes: Buffer, mediaType: string, reference: Reference): ReturnType<typeof parseManifestDocument> {
  try {
    return parseManifestDocument(bytes, mediaType)
  } catch (error) {
    throw isBerthError(error) && error.message.includes('schema 1')
      ? schema1Refused(familiarReference(reference))
      : error
  }
}

async function complete(
  deps: PullDependencies,
  repository: Repository,
  { descriptor, manifest }: Chosen,
  request: PullRequest,
  lease: Lease,
): Promise<{ readonly record: ImageRecord; readonly isNewer: boolean }> {
  const { config: configDescriptor } = manifest
  if (!isConfigType(configDescriptor.mediaType)) {
    throw invalidArgument(`unsupported media type ${configDescriptor.mediaType}: this is no container image`)
  }
  lease.add({ kind: 'blob', key: configDescriptor.digest })
  const known = deps.store.findRecord(configDescriptor.digest)
  const config = known?.config ?? (await fetchConfig(deps, repository, configDescriptor, request))
  const wanted = wantedLayers(manifest, config)
  for (const { blob, chainId } of wanted) {
    lease.add({ kind: 'blob', key: blob.digest })
    lease.add({ kind: 'snapshot', key: chainId })
  }
  const isHere = known !== undefined && (await areAllHere(deps, wanted))
  const layers = isHere ? known.layers : await obtainAll(deps, repository, wanted, request)
  const record: ImageRecord = {
    version: 1,
    id: configDescriptor.digest,
    config,
    configSize: configDescriptor.size,
    manifest: descriptor,
    layers,
    ...(known?.parent === undefined ? {} : { parent: known.parent }),
    lastTagTime: known?.lastTagTime ?? '',
  }
  return { record, isNewer: !isHere }
}

async function fetchConfig(
  { content }: PullDependencies,
  repository: Repository,
  descriptor: Descriptor,
  { signal }: AbortOptions,
): Promise<OciImageConfig> {
  if (descriptor.size > maxConfigBytes) throw invalidArgument(`image config of ${descriptor.size} bytes is too large`)
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

async function areAllHere({ content, layers }: PullDependencies, wanted: readonly WantedLayer[]): Promise<boolean> {
  for (const { blob, chainId } of wanted) {
    if ((await content.find(blob.digest)) === undefined || !(await layers.has(chainId))) return false
  }
  return true
}

async function obtainAll(
  deps: PullDependencies,
  repository: Repository,
  wanted: readonly WantedLayer[],
  request: PullRequest,
): Promise<ImageLayer[]> {
  // One failure ends the others, so that none goes on for a pull that is lost.
  const abort = new AbortController()
  const signal = request.signal === undefined ? abort.signal : AbortSignal.any([request.signal, abort.signal])
  let below: Promise<unknown> = Promise.resolve()
  const origins = await Promise.all(
    wanted.map(({ blob }) => repository.blobOrigin(blob.digest, { urls: blob.urls, signal })),
  )
  const all = wanted.map((layer, at) => {
    const obtained = deps.layers.obtain(layer, below, {
      authorize: async (problem) => await origins[at]?.authorize(problem),
      onProgress: request.onProgress ?? (() => {}),
      signal,
    })
    below = obtained
    return obtained.then(({ sizeBytes }): ImageLayer => {
      return { diffId: layer.diffId, chainId: layer.chainId, blob: layer.blob, sizeBytes }
    })
  })
  try {
    return await Promise.all(all)
  } catch (error) {
    abort.abort()
    await Promise.allSettled(all)
    throw error
  }
}
