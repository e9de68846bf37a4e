/** Attestations in BuildKit's form: in-toto statements are the layers of a manifest of their own, which an index lists
 *  beside the image's manifest.
 *  https://github.com/moby/buildkit/blob/master/docs/attestations/attestation-storage.md */
import type { Lease, LocalContentStore } from '../../../content/index.ts'
import { type Descriptor, type Digest, digestOf, type Manifest, mediaTypes } from '../../../oci/index.ts'

/** A statement about an image: predicate and predicate type of an in-toto statement. */
export interface Attestation {
  readonly predicateType: string
  readonly predicate: object
}

/** The subject of a statement. */
export interface StatementSubject {
  readonly name: string
  readonly digest: Digest
}

/** An attestation manifest whose blobs are all stored. */
export interface AttestationManifest {
  /** The entry for the index. */
  readonly descriptor: Descriptor
  readonly bytes: Buffer
  readonly config: Descriptor
  readonly layers: readonly Descriptor[]
}

const statementType = 'application/vnd.in-toto+json'

/** Formats an in-toto statement. https://github.com/in-toto/attestation/blob/main/spec/v0.1.0/statement.md */
export function formatStatement(
  { predicateType, predicate }: Attestation,
  subjects: readonly StatementSubject[],
): Buffer {
  const subject = subjects.map(({ name, digest }) => {
    const [algorithm = '', hex = ''] = digest.split(':')
    return { name, digest: { [algorithm]: hex } }
  })
  return Buffer.from(JSON.stringify({ _type: 'https://in-toto.io/Statement/v0.1', predicateType, subject, predicate }))
}

/** Stores the statements and their manifest. `lease` keeps all of them. */
export async function storeAttestations(
  content: LocalContentStore,
  lease: Lease,
  image: Descriptor,
  attestations: readonly Attestation[],
  subjects: readonly StatementSubject[],
): Promise<AttestationManifest> {
  const put = async (mediaType: string, bytes: Buffer): Promise<Descriptor> => {
    const digest = digestOf(bytes)
    lease.add({ kind: 'blob', key: digest })
    await content.put(bytes)
    return { mediaType, digest, size: bytes.length }
  }
  const layers: Descriptor[] = []
  for (const one of attestations) {
    const layer = await put(statementType, formatStatement(one, subjects))
    layers.push({ ...layer, annotations: { 'in-toto.io/predicate-type': one.predicateType } })
  }
  const unknown = { architecture: 'unknown', os: 'unknown' }
  const rootfs = { type: 'layers', diff_ids: layers.map(({ digest }) => digest) }
  const config = await put(mediaTypes.ociConfig, Buffer.from(JSON.stringify({ ...unknown, config: {}, rootfs })))
  const manifest: Manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers }
  const bytes = Buffer.from(JSON.stringify(manifest))
  const stored = await put(mediaTypes.ociManifest, bytes)
  const annotations = {
    'vnd.docker.reference.digest': image.digest,
    'vnd.docker.reference.type': 'attestation-manifest',
  }
  return { descriptor: { ...stored, annotations, platform: unknown }, bytes, config, layers }
}
