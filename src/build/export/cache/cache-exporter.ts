/** `--cache-to`: exports the layers of a build's steps and the document that maps steps to layers. */

import type { BuildRequest } from '../../../api/index.ts'
import { type ArchiveMember, archiveOf } from '../../../archive/index.ts'
import { isKind, messageOf, notImplemented } from '../../../base/index.ts'
import { pushBlobs } from '../../../images/index.ts'
import { algorithmOf, type Descriptor, digestOf, hexOf, mediaTypes, type Reference } from '../../../oci/index.ts'
import { pushError, putManifest } from '../../../registry/client/index.ts'
import type { BuiltLayer } from '../../model/built-image.ts'
import { compressLayers } from '../layers/compress-layers.ts'
import type { ExportHost, ExportParts } from '../parts/export-parts.ts'
import { type CachedStep, cacheConfigOf, cacheConfigType } from './cache-config.ts'
import { type CacheExportOption, parseCacheExport } from './cache-option.ts'

/** Layers of everything built, base first. `results` are the targets, `stages` all stages. */
export interface BuiltStacks {
  readonly results: readonly (readonly BuiltLayer[])[]
  readonly stages: readonly (readonly BuiltLayer[])[]
}

interface CacheDocuments {
  readonly config: Descriptor
  readonly top: Descriptor
  readonly topBytes: Buffer
  readonly steps: readonly CachedStep[]
}

/** Writes all caches that the request names, except inline ones, which are part of the image. A failure fails the build
 *  unless the option has `ignore-error=true`. */
export async function exportCaches(
  parts: ExportParts,
  request: BuildRequest,
  stacks: BuiltStacks,
  host: ExportHost,
): Promise<void> {
  for (const [index, wanted] of request.cacheTo.entries()) {
    const option = parseCacheExport(wanted)
    if (option.place.type === 'inline') continue
    const id = `cache ${index}`
    const name = option.place.type === 'local' ? 'exporting cache to client directory' : 'exporting cache to registry'
    const started = new Date().toISOString()
    host.emit({ type: 'vertex', id, name, started })
    try {
      await exportCache(parts, option, index, stacks, host)
      host.emit({ type: 'vertex', id, name, started, completed: new Date().toISOString() })
    } catch (error) {
      const failed = {
        type: 'vertex',
        id,
        name,
        started,
        completed: new Date().toISOString(),
        error: messageOf(error),
      } as const
      host.emit(failed)
      if (!option.ignoreError || isKind(error, 'cancelled')) throw error
    }
  }
}

async function exportCache(
  { images, pushes }: ExportParts,
  { place, mode, layers, isManifest }: CacheExportOption,
  index: number,
  stacks: BuiltStacks,
  host: ExportHost,
): Promise<void> {
  using lease = images.leases.create()
  const wanted = mode === 'max' ? [...stacks.results, ...stacks.stages] : stacks.results
  const compressed: CachedStep[][] = []
  for (const stack of wanted) {
    const own = stack.flatMap((layer) => (layer.key === undefined ? [] : [{ ...layer, key: layer.key }]))
    const ready = await compressLayers(images, own, lease, { ...layers, signal: host.signal })
    compressed.push(ready.map(({ key, diffId, blob }) => ({ key, diffId, blob })))
  }
  const put = async (bytes: Buffer, mediaType: string): Promise<Descriptor> => {
    const digest = digestOf(bytes)
    lease.add({ kind: 'blob', key: digest })
    await images.content.put(bytes)
    return { mediaType, digest, size: bytes.length }
  }
  const created = new Date().toISOString()
  const config = await put(Buffer.from(JSON.stringify(cacheConfigOf(compressed, created))), cacheConfigType)
  const steps = [...new Map(compressed.flat().map((step) => [step.blob.digest, step])).values()]
  const topBytes = formatTop(config, steps, isManifest)
  const top = await put(topBytes, isManifest ? mediaTypes.ociManifest : mediaTypes.ociIndex)
  const documents = { config, top, topBytes, steps }
  if (place.type === 'registry') await pushCache(pushes.pushParts, images.registries, place.reference, documents, host)
  else if (place.type === 'local')
    await writeLayout(documents, place.tag, index, (digest) => images.content.pathOf(digest), host)
}

function formatTop(config: Descriptor, steps: readonly CachedStep[], isManifest: boolean): Buffer {
  const layers = steps.map(({ blob, diffId }) => {
    const { mediaType, digest, size } = blob
    return { mediaType, digest, size, annotations: { 'containerd.io/uncompressed': diffId } }
  })
  const document = isManifest
    ? { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers }
    : { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [...layers, config] }
  return Buffer.from(JSON.stringify(document))
}

async function pushCache(
  parts: Parameters<typeof pushBlobs>[0],
  registries: ExportParts['images']['registries'],
  reference: Reference,
  { config, top, topBytes, steps }: CacheDocuments,
  { signal, authOf }: ExportHost,
): Promise<void> {
  const repository = registries.repository(reference, await authOf(reference.registry), { actions: 'pull,push' })
  try {
    await pushBlobs(parts, repository, reference, { layers: steps, config }, { signal })
    const target = reference.tag ?? top.digest
    await putManifest(repository, { target, bytes: topBytes, mediaType: top.mediaType }, { signal })
  } catch (error) {
    throw pushError(error)
  }
}

/** Writes an OCI image layout into the client's directory.
 *  https://github.com/opencontainers/image-spec/blob/main/image-layout.md */
async function writeLayout(
  { config, top, steps }: CacheDocuments,
  tag: string,
  index: number,
  pathOf: (digest: Descriptor['digest']) => string,
  host: ExportHost,
): Promise<void> {
  const { mediaType, digest, size } = top
  const annotations = { 'org.opencontainers.image.ref.name': tag }
  const layout = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: [{ mediaType, digest, size, annotations }],
  }
  const json = (path: string, value: unknown): ArchiveMember => ({
    entry: { type: 'file', path },
    content: Buffer.from(JSON.stringify(value)),
  })
  const blobs = [top, config, ...steps.map(({ blob }) => blob)]
  const archive = archiveOf([
    { entry: { type: 'directory', path: 'blobs/' } },
    { entry: { type: 'directory', path: 'blobs/sha256/' } },
    ...blobs.map(
      (blob): ArchiveMember => ({
        entry: { type: 'file', path: `blobs/${algorithmOf(blob.digest)}/${hexOf(blob.digest)}` },
        content: { path: pathOf(blob.digest), sizeBytes: blob.size },
      }),
    ),
    json('oci-layout', { imageLayoutVersion: '1.0.0' }),
    // The index comes last. It makes everything else visible.
    json('index.json', layout),
  ])
  const sink = await host.openOutput?.(-1, index, 'tar')
  if (sink === undefined) throw notImplemented('a cache in a directory of this client')
  for await (const chunk of archive.chunks({ signal: host.signal })) await sink.write(chunk)
  await sink.end()
}
