/** An OCI image layout on the client, in the form that the builder reads and writes layouts: as files. */
import { readTar } from '../../../archive/index.ts'
import { notFound } from '../../../base/index.ts'
import type { BuildByteSink } from '../../../contract/index.ts'
import type { ClientContentStore } from './content-store.ts'
import { tarSink } from './tar-sink.ts'

const blobPath = /^blobs\/(sha256|sha512)\/([0-9a-f]+)$/
/** Limit for manifests and indexes. Real ones are far smaller. */
const maxDocumentBytes = 64 * 1024 * 1024

/** Reads a file of a layout. The client has resolved the tag to `digest`; the layout's index contains only that
 *  entry. */
export async function* readLayoutFile(
  store: ClientContentStore,
  path: string,
  digest: string | undefined,
): AsyncGenerator<Buffer, void, undefined> {
  const [, algorithm, hex] = blobPath.exec(path) ?? []
  if (hex !== undefined) yield* store.read(`${algorithm}:${hex}`)
  else if (path === 'index.json' && digest !== undefined) yield await indexOf(store, digest)
  else throw notFound(`${path} is not in the OCI layout`)
}

async function indexOf(store: ClientContentStore, digest: string): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of store.read(digest)) {
    size += chunk.length
    if (size > maxDocumentBytes) throw notFound(`${digest} is not a manifest`)
    chunks.push(chunk)
  }
  const { mediaType } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { readonly mediaType?: string }
  const entry = { mediaType: mediaType ?? 'application/vnd.oci.image.manifest.v1+json', digest, size }
  return Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: [entry] }))
}

/** Receives a layout as a tar. Blobs go to the client, the first entry of the index to `onTop`. */
export function layoutSink(store: ClientContentStore, onTop: (descriptor: object) => void): BuildByteSink {
  return tarSink((tar) => sendBlobs(store, tar, onTop))
}

async function sendBlobs(
  store: ClientContentStore,
  tar: AsyncIterable<Buffer>,
  onTop: (descriptor: object) => void,
): Promise<void> {
  for await (const { entry, body } of readTar(tar)) {
    const [, algorithm, hex] = blobPath.exec(entry.path) ?? []
    if (hex !== undefined) await store.write(`${algorithm}:${hex}`, entry.sizeBytes, body)
    else if (entry.path === 'index.json') {
      const text = Buffer.concat(await Array.fromAsync(body)).toString('utf8')
      const { manifests = [] } = JSON.parse(text) as { readonly manifests?: readonly Record<string, unknown>[] }
      const [{ annotations: _annotations, ...top } = {}] = manifests
      onTop(top)
    }
  }
}
