/** Uploads the blobs of one image to a repository: the layers side by side, with Docker's progress messages, then the
 *  config. */
import { createReadStream, existsSync } from 'node:fs'
import { Readable } from 'node:stream'
import { notFound, shortId } from '../../base/index.ts'
import type { LocalContentStore } from '../../content/index.ts'
import type { OnProgress, ProgressOptions } from '../../contract/index.ts'
import type { Descriptor, Digest, Reference } from '../../oci/index.ts'
import { type Repository, type UploadSource, uploadBlob } from '../../registry/client/index.ts'
import type { ImageStore } from '../catalog/image-store.ts'
import { LayerProgress } from '../catalog/progress.ts'
import type { UploadSlots } from './upload-slots.ts'

/** What uploads need. */
export interface PushParts {
  readonly store: ImageStore
  readonly content: LocalContentStore
  readonly uploads: UploadSlots
}

/** A layer to push. Progress messages show its diff ID. */
export interface PushedLayer {
  readonly diffId: Digest
  readonly blob: Descriptor
}

const readBytes = 512 << 10

/** Sends a first message for each layer, the uppermost first. */
export function announceLayers(layers: readonly Pick<PushedLayer, 'diffId'>[], onProgress: OnProgress): void {
  for (const id of layerIds(layers)) onProgress({ status: 'Preparing', progressDetail: {}, id })
}

/** Uploads the blobs that the repository does not have. The first failure cancels the others. */
export async function pushBlobs(
  parts: PushParts,
  repository: Repository,
  reference: Reference,
  { layers, config }: { readonly layers: readonly PushedLayer[]; readonly config: Descriptor },
  { onProgress = () => {}, signal }: ProgressOptions,
): Promise<void> {
  const abort = new AbortController()
  const both = signal === undefined ? abort.signal : AbortSignal.any([signal, abort.signal])
  const unique = new Map([...layers].reverse().map((layer) => [layer.diffId, layer]))
  const work = [...unique.values()].map((layer) =>
    pushLayer(parts, repository, reference, layer, { onProgress, signal: both }),
  )
  try {
    await Promise.all(work)
  } catch (error) {
    abort.abort()
    await Promise.allSettled(work)
    throw error
  }
  await uploadBlob(repository, sourceOf(parts.content, config), { signal })
}

async function pushLayer(
  parts: PushParts,
  repository: Repository,
  reference: Reference,
  { diffId, blob }: PushedLayer,
  { onProgress, signal }: { readonly onProgress: OnProgress; readonly signal: AbortSignal },
): Promise<void> {
  const progress = new LayerProgress(shortId(diffId))
  progress.watch(onProgress)
  if (isForeign(blob)) {
    progress.status('Skipped foreign layer')
    return
  }
  const push = () =>
    uploadBlob(repository, sourceOf(parts.content, blob), {
      signal,
      mountFrom: repositoriesWith(parts.store, reference, blob.digest),
      onProgress: (sent) => progress.amount('Pushing', sent, blob.size),
      onRetry: (delayMs) => progress.status(retryText(delayMs)),
    })
  const outcome = await parts.uploads.run(
    async () => {
      signal.throwIfAborted()
      return await push()
    },
    () => progress.status('Waiting'),
  )
  if (outcome.type === 'exists') progress.status('Layer already exists')
  else progress.status(outcome.type === 'mounted' ? `Mounted from ${outcome.from}` : 'Pushed')
}

function retryText(delayMs: number): string {
  const seconds = Math.max(1, Math.round(delayMs / 1000))
  return `Retrying in ${seconds} second${seconds === 1 ? '' : 's'}`
}

/** A stored blob as the source of an upload. */
export function sourceOf(content: Pick<LocalContentStore, 'pathOf'>, { digest, size }: Descriptor): UploadSource {
  const path = content.pathOf(digest)
  return {
    digest,
    sizeBytes: size,
    open: (start, end) =>
      existsSync(path)
        ? createReadStream(path, { start, end: end - 1, highWaterMark: readBytes })
        : new Readable().destroy(notFound(`content digest ${digest}: not found`)),
  }
}

/** Other repositories of the registry that should have this blob: an image with it was pulled from or pushed to them,
 *  as its name with a digest shows. */
function repositoriesWith(store: ImageStore, { registry, repository }: Reference, blob: Digest): string[] {
  const found = new Set<string>()
  for (const record of store.records()) {
    if (!record.layers.some((layer) => layer.blob.digest === blob)) continue
    for (const { reference } of store.names.of(record.id)) {
      if (reference.digest !== undefined && reference.registry === registry) found.add(reference.repository)
    }
  }
  found.delete(repository)
  return [...found]
}

/** True for a layer that its maker serves from other hosts. */
function isForeign({ mediaType, urls }: Descriptor): boolean {
  return (urls ?? []).length > 0 && /foreign|nondistributable/.test(mediaType)
}

function layerIds(layers: readonly Pick<PushedLayer, 'diffId'>[]): string[] {
  return [...new Set([...layers].reverse().map(({ diffId }) => shortId(diffId)))]
}
