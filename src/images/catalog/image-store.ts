/** All images and their names, in memory and in the database; the one owner of both.
 *  Every change is synchronous: the database first, then memory, so that no reader sees half of it. */
import { invalidArgument, isKind, type Logger, messageOf, notFound, zeroTime } from '../../base/index.ts'
import {
  bestPlatform,
  type Descriptor,
  type Digest,
  defaultTag,
  familiarReference,
  formatPlatform,
  formatReference,
  isDigest,
  type Platform,
  parseReference,
  platformOfConfig,
  type Reference,
  withDefaultTag,
  withDigest,
} from '../../oci/index.ts'
import type { Database } from '../../store/index.ts'
import { ImageTable } from '../../store/index.ts'
import type { Image, ImageRecord, NamedRecord, NamedTarget } from './image.ts'

export interface ResolveOptions {
  readonly platform?: Platform | undefined
}

/** Finds images by name and id, and keeps their records. */
export class ImageStore {
  readonly #table: ImageTable<ImageRecord>
  readonly #records = new Map<Digest, ImageRecord>()
  readonly #names = new Map<string, NamedTarget & { readonly imageId: Digest }>()
  readonly #namesOf = new Map<Digest, Set<string>>()
  /** How many names stand for each manifest or index. */
  readonly #targets = new Map<Digest, number>()
  #revision = 0

  private constructor(table: ImageTable<ImageRecord>) {
    this.#table = table
  }

  /** Reads all images. A record that can't be read is logged and left out. */
  static open(db: Database, logger: Logger): ImageStore {
    const store = new ImageStore(new ImageTable<ImageRecord>(db))
    for (const { id, json } of store.#table.all()) {
      try {
        store.#records.set(id as Digest, Object.freeze(JSON.parse(json) as ImageRecord))
      } catch (error) {
        logger.error('image record is broken and left out', { id, error: messageOf(error) })
      }
    }
    for (const { reference, imageId, target } of store.#table.references()) {
      try {
        store.#remember(parseReference(reference), imageId as Digest, JSON.parse(target) as Descriptor)
      } catch (error) {
        logger.error('image name is broken and left out', { reference, error: messageOf(error) })
      }
    }
    return store
  }

  /** The image that a user's text means: a name (with `:latest` understood), a digest, an id or the
   *  beginning of one. Throws `notFound` and `invalidArgument` with Docker's texts. */
  resolve(referenceOrId: string, { platform }: ResolveOptions = {}): Image {
    const id = this.#search(referenceOrId)
    const image = id === undefined ? undefined : this.find(id)
    if (image === undefined) throw noSuchImage(referenceOrId)
    return platform === undefined ? image : this.#forPlatform(image, referenceOrId, platform)
  }

  /** The image with exactly this id. */
  find(id: Digest): Image | undefined {
    const record = this.#records.get(id)
    return record === undefined ? undefined : toImage(record, this.namesOf(id))
  }

  /** The record with exactly this id. */
  findRecord(id: Digest): ImageRecord | undefined {
    return this.#records.get(id)
  }

  /** What a full name stands for. */
  findName(reference: Reference): (NamedTarget & { readonly imageId: Digest }) | undefined {
    return this.#names.get(formatReference(withDefaultTag(reference)))
  }

  /** What a name as a user types it stands for; undefined for ids and unknown names. */
  findTarget(text: string): Descriptor | undefined {
    const reference = /^(sha256:)?[0-9a-f]{64}$/.test(text) ? undefined : parseWanted(text)
    return reference === undefined ? undefined : this.#names.get(formatReference(lookupForm(reference)))?.target
  }

  /** The names of an image, tags before digests, in alphabetical order. */
  namesOf(id: Digest): NamedTarget[] {
    const keys = [...(this.#namesOf.get(id) ?? [])].sort()
    return keys.map((key) => this.#names.get(key)).filter((name) => name !== undefined)
  }

  /** True while a name stands for this manifest or index. */
  isTarget(digest: Digest): boolean {
    return this.#targets.has(digest)
  }

  /** The images that are here of those that an index lists, in no order. */
  membersOf(index: Digest): readonly ImageRecord[] {
    return [...this.#records.values()].filter(({ partOf }) => partOf?.includes(index) === true)
  }

  /** All full names, in no order. */
  *references(): Iterable<Reference> {
    for (const { reference } of this.#names.values()) yield reference
  }

  /** Another number after each change. */
  get revision(): number {
    return this.#revision
  }

  /** All records, in no order. */
  records(): Iterable<ImageRecord> {
    return this.#records.values()
  }

  /** Adds an image and points the names to it, in one transaction. */
  put(record: ImageRecord, names: readonly NamedTarget[] = []): void {
    this.putAll([{ record, names }])
  }

  /** Adds several at once: all of them or none. */
  putAll(images: readonly NamedRecord[]): void {
    this.#revision += 1
    this.#table.transaction(() => {
      for (const { record, names } of images) {
        this.#table.put(record)
        for (const { reference, target } of names) this.#writeName(reference, record.id, target)
      }
    })
    for (const { record, names } of images) {
      this.#records.set(record.id, Object.freeze(record))
      for (const { reference, target } of names) this.#remember(reference, record.id, target)
    }
  }

  /** Points a name to an image; says which image it pointed to before. */
  name(reference: Reference, imageId: Digest, target: Descriptor): Digest | undefined {
    const before = this.#names.get(formatReference(reference))?.imageId
    const record = this.#records.get(imageId)
    if (record === undefined) throw notFound(`No such image: ${imageId}`)
    this.put({ ...record, lastTagTime: new Date().toISOString() }, [{ reference, target }])
    return before
  }

  /** Takes a name away. */
  unname(reference: Reference): void {
    const key = formatReference(reference)
    this.#revision += 1
    this.#table.deleteReference(key)
    this.#forget(key)
  }

  /** Removes an image and all its names. */
  delete(id: Digest): void {
    this.#revision += 1
    this.#table.delete(id)
    for (const key of [...(this.#namesOf.get(id) ?? [])]) this.#forget(key)
    this.#records.delete(id)
  }

  /** Ids that begin with these digits. */
  idsWithPrefix(prefix: string): Digest[] {
    const hex = prefix.replace(/^sha256:/, '').toLowerCase()
    if (!/^[0-9a-f]+$/.test(hex)) return []
    return [...this.#records.keys()].filter((id) => id.startsWith(hex, 7))
  }

  /** A name that stands for an index may have images for several platforms. */
  #forPlatform(image: Image, text: string, platform: Platform): Image {
    const target = this.findTarget(text)
    const members = target === undefined ? [] : this.membersOf(target.digest)
    const others = members.map(({ id }) => this.find(id)).filter((one) => one !== undefined)
    const best = bestPlatform(platform, [image, ...others], (one) => one.platform)
    if (best !== undefined) return best
    throw notFound(
      `image with reference ${text} was found but its platform (${formatPlatform(image.platform)}) ` +
        `does not match the specified platform (${formatPlatform(platform)})`,
    )
  }

  #search(text: string): Digest | undefined {
    const full = /^[0-9a-f]{64}$/.test(text) ? `sha256:${text}` : text
    if (isDigest(full)) return this.#records.has(full) ? full : this.#byManifest(full)
    const reference = parseWanted(text)
    if (reference !== undefined) {
      const found = this.#names.get(formatReference(lookupForm(reference)))
      if (found !== undefined) return found.imageId
    }
    const ids = this.idsWithPrefix(text)
    return ids.length === 1 ? ids[0] : undefined
  }

  /** An image by the digest of its manifest, which tools like to use as if it were the id. */
  #byManifest(digest: Digest): Digest | undefined {
    for (const record of this.#records.values()) if (record.manifest.digest === digest) return record.id
    return undefined
  }

  #writeName(reference: Reference, imageId: Digest, target: Descriptor): void {
    this.#table.putReference({ reference: formatReference(reference), imageId, target: JSON.stringify(target) })
  }

  #remember(reference: Reference, imageId: Digest, target: Descriptor): void {
    const key = formatReference(reference)
    this.#forget(key)
    this.#names.set(key, Object.freeze({ reference, target, imageId }))
    this.#targets.set(target.digest, (this.#targets.get(target.digest) ?? 0) + 1)
    const names = this.#namesOf.get(imageId) ?? new Set<string>()
    names.add(key)
    this.#namesOf.set(imageId, names)
  }

  #forget(key: string): void {
    const known = this.#names.get(key)
    if (known === undefined) return
    this.#names.delete(key)
    const { digest } = known.target
    const count = (this.#targets.get(digest) ?? 0) - 1
    if (count > 0) this.#targets.set(digest, count)
    else this.#targets.delete(digest)
    const names = this.#namesOf.get(known.imageId)
    names?.delete(key)
    if (names?.size === 0) this.#namesOf.delete(known.imageId)
  }
}

/** The error for an image that is not here, as Docker words it. */
export function noSuchImage(text: string): Error {
  const reference = /^(sha256:)?[0-9a-f]{64}$/.test(text) ? undefined : parseWanted(text)
  return notFound(`No such image: ${reference === undefined ? text : familiarReference(withDefaultTag(reference))}`)
}

function toImage(record: ImageRecord, names: readonly NamedTarget[]): Image {
  const { id, config, manifest, layers, parent, isIntermediate = false, lastTagTime } = record
  const short = (one: NamedTarget) => familiarReference(one.reference)
  return {
    id,
    references: names.filter((one) => one.reference.tag !== undefined).map(short),
    digests: names.filter((one) => one.reference.tag === undefined).map(short),
    config,
    manifest,
    layers,
    chainId: layers.at(-1)?.chainId,
    platform: platformOfConfig(config),
    sizeBytes: layers.reduce((sum, layer) => sum + layer.sizeBytes, 0),
    created: config.created === undefined || config.created === '' ? zeroTime : config.created,
    parent,
    isIntermediate,
    lastTagTime,
  }
}

/** With a digest, the tag beside it says nothing: the digest alone decides. */
function lookupForm(reference: Reference): Reference {
  if (reference.digest !== undefined) return withDigest(reference, reference.digest)
  return { ...reference, tag: reference.tag ?? defaultTag }
}

function parseWanted(text: string): Reference | undefined {
  try {
    return parseReference(text)
  } catch (error) {
    if (/^sha256:[0-9a-f]+$/.test(text) && isKind(error, 'invalidArgument')) return undefined // the beginning of an id
    if (text === '') throw invalidArgument('invalid reference format')
    throw error
  }
}
