/** Finds indexes that names stand for and that are stored completely, so that they can be saved as they are. */
import type { LocalContentStore } from '../../content/index.ts'
import { type Descriptor, type Digest, isIndexType, parseManifestDocument, type Reference } from '../../oci/index.ts'
import type { ImageRecord } from '../catalog/image.ts'
import { type ImageStore, membersOf } from '../catalog/image-store.ts'

/** An index of which every part is stored. */
export interface WholeIndex {
  readonly target: Descriptor
  /** Its images. */
  readonly members: readonly ImageRecord[]
  /** Manifests of attestations that it lists, with their parts. */
  readonly attached: readonly Descriptor[]
  /** The names of the image that stand for it. */
  readonly references: readonly Reference[]
}

/** Where indexes are stored. */
export interface IndexParts {
  readonly store: ImageStore
  readonly content: LocalContentStore
}

/** The complete indexes that these names of an image stand for. */
export async function wholeIndexes(
  parts: IndexParts,
  record: ImageRecord,
  references: readonly Reference[],
): Promise<WholeIndex[]> {
  const byTarget = new Map<Digest, { readonly target: Descriptor; readonly references: Reference[] }>()
  for (const reference of references) {
    const target = parts.store.names.find(reference)?.target
    if (target === undefined || !isIndexType(target.mediaType)) continue
    const known = byTarget.get(target.digest) ?? { target, references: [] }
    known.references.push(reference)
    byTarget.set(target.digest, known)
  }
  const found: WholeIndex[] = []
  for (const { target, references: own } of byTarget.values()) {
    const listed = await listedBy(parts, target, record)
    if (listed !== undefined) found.push({ target, references: own, ...listed })
  }
  return found
}

/** What an index lists; undefined when a part of it is missing. */
async function listedBy(
  { store, content }: IndexParts,
  target: Descriptor,
  record: ImageRecord,
): Promise<Pick<WholeIndex, 'members' | 'attached'> | undefined> {
  if ((await content.find(target.digest)) === undefined) return undefined
  const document = parseManifestDocument(await content.read(target.digest), target.mediaType)
  if (document.type !== 'index') return undefined
  const candidates = [record, ...membersOf(store, target.digest).filter(({ id }) => id !== record.id)]
  const attachments = new Set(candidates.flatMap(({ attachments: own = [] }) => own.map(({ digest }) => digest)))
  const members: ImageRecord[] = []
  const attached: Descriptor[] = []
  for (const entry of document.index.manifests) {
    const member = candidates.find(({ manifest }) => manifest.digest === entry.digest)
    if (member !== undefined) members.push(member)
    else if (attachments.has(entry.digest)) attached.push(...(await attestationBlobs(content, entry)))
    else return undefined
  }
  return { members, attached }
}

async function attestationBlobs(content: LocalContentStore, entry: Descriptor): Promise<readonly Descriptor[]> {
  const document = parseManifestDocument(await content.read(entry.digest), entry.mediaType)
  return document.type === 'manifest' ? [entry, document.manifest.config, ...document.manifest.layers] : [entry]
}
