/** All images and their names, in memory and in the database.
 *  Every change is synchronous, the database first, then memory, so that no reader sees a part of it. */
import { type Logger, messageOf, notFound, zeroTime } from '../../base/index.ts'
import {
  bestPlatform,
  type Descriptor,
  type Digest,
  familiarReference,
  formatPlatform,
  formatReference,
  isDigest,
  type Platform,
  parseReference,
  platformOfConfig,
  type Reference,
  withDefaultTag,
} from '../../oci/index.ts'
import type { Database } from '../../store/index.ts'
import { ImageTable } from '../../store/index.ts'
import type { Image, ImageRecord, NamedRecord, NamedTarget } from './image.ts'
import { type ImageNames, NameIndex, parseName } from './image-names.ts'

/** How to choose among the images that a name has for several platforms. */
export interface ResolveOptions {
  /** Absent: the image that has the name. */
  readonly platform?: Platform | undefined
  /** The beginning of an id does not count, only a name, a digest or a whole id. */
  readonly wholeIds?: boolean
}

/** Keeps the records of images and finds them by name and id. */
export class ImageStore {
  /** The names of all images. */
  readonly names: ImageNames
  readonly #table: ImageTable<ImageRecord>
  readonly #records = new Map<Digest, ImageRecord>()
  readonly #index: NameIndex
  #revision = 0

  private constructor(table: ImageTable<ImageRecord>, names: NameIndex) {
    this.#table = table
    this.#index = names
    this.names = names
  }

  /** Reads all images. A record or name that can't be parsed is logged and left out. */
  static open(db: Database, logger: Logger): ImageStore {
    const store = new ImageStore(new ImageTable<ImageRecord>(db), new NameIndex())
    for (const { id, json } of store.#table.all()) {
      try {
        store.#records.set(id as Digest, Object.freeze(JSON.parse(json) as ImageRecord))
      } catch (error) {
        logger.error('image record is broken and left out', { id, error: messageOf(error) })
      }
    }
    for (const { reference, imageId, target } of store.#table.references()) {
      try {
        store.#index.add(parseReference(reference), imageId as Digest, JSON.parse(target) as Descriptor)
      } catch (error) {
        logger.error('image name is broken and left out', { reference, error: messageOf(error) })
      }
    }
    return store
  }

  /** The image that a user's text means: a name (without a tag, `:latest`), the digest of a manifest, an id or the unique
   *  beginning of one (see `wholeIds`). Throws `notFound` and `invalidArgument` with Docker's texts. */
  resolve(referenceOrId: string, { platform, wholeIds = false }: ResolveOptions = {}): Image {
    const id = this.#search(referenceOrId, wholeIds)
    const image = id === undefined ? undefined : this.find(id)
    if (image === undefined) throw noSuchImage(referenceOrId)
    return platform === undefined ? image : this.#forPlatform(image, referenceOrId, platform)
  }

  /** The image with exactly this id. */
  find(id: Digest): Image | undefined {
    const record = this.#records.get(id)
    return record === undefined ? undefined : toImage(record, this.names.of(id))
  }

  /** The record with exactly this id. */
  findRecord(id: Digest): ImageRecord | undefined {
    return this.#records.get(id)
  }

  /** A number that each change of records or names increases. */
  get revision(): number {
    return this.#revision
  }

  /** All records, in no order. */
  records(): Iterable<ImageRecord> {
    return this.#records.values()
  }

  /** Adds or replaces an image and points the names to it, in one transaction. */
  put(record: ImageRecord, names: readonly NamedTarget[] = []): void {
    this.putAll([{ record, names }])
  }

  /** Adds or replaces several images with their names: all of them or none. */
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
      for (const { reference, target } of names) this.#index.add(reference, record.id, target)
    }
  }

  /** Removes a name; its image stays. */
  unname(reference: Reference): void {
    this.#revision += 1
    this.#table.deleteReference(formatReference(reference))
    this.#index.remove(reference)
  }

  /** Removes an image and all its names. */
  delete(id: Digest): void {
    this.#revision += 1
    this.#table.delete(id)
    for (const { reference } of this.names.of(id)) this.#index.remove(reference)
    this.#records.delete(id)
  }

  /** The best image for a platform, among those that an index lists if the name stands for one. */
  #forPlatform(image: Image, text: string, platform: Platform): Image {
    const target = this.names.lookUp(text)?.target
    const members = target === undefined ? [] : membersOf(this, target.digest)
    const others = members.map(({ id }) => this.find(id)).filter((one) => one !== undefined)
    const best = bestPlatform(platform, [image, ...others], (one) => one.platform)
    if (best !== undefined) return best
    throw notFound(
      `image with reference ${text} was found but its platform (${formatPlatform(image.platform)}) ` +
        `does not match the specified platform (${formatPlatform(platform)})`,
    )
  }

  #search(text: string, wholeIds: boolean): Digest | undefined {
    const full = /^[0-9a-f]{64}$/.test(text) ? `sha256:${text}` : text
    if (isDigest(full)) return this.#records.has(full) ? full : this.#byManifest(full)
    const named = this.names.lookUp(text)
    if (named !== undefined) return named.imageId
    return wholeIds ? undefined : onlyIdWithPrefix(this, text)
  }

  /** An image by the digest of its manifest, which many tools use like an id. */
  #byManifest(digest: Digest): Digest | undefined {
    for (const record of this.#records.values()) if (record.manifest.digest === digest) return record.id
    return undefined
  }

  #writeName(reference: Reference, imageId: Digest, target: Descriptor): void {
    this.#table.putReference({ reference: formatReference(reference), imageId, target: JSON.stringify(target) })
  }
}

/** The images here that an index lists, in no order. */
export function membersOf(store: Pick<ImageStore, 'records'>, index: Digest): readonly ImageRecord[] {
  return [...store.records()].filter(({ partOf }) => partOf?.includes(index) === true)
}

/** The one image id that begins with these digits; undefined when there is none, or more than one. */
export function onlyIdWithPrefix(store: Pick<ImageStore, 'records'>, prefix: string): Digest | undefined {
  const hex = prefix.replace(/^sha256:/, '').toLowerCase()
  if (!/^[0-9a-f]+$/.test(hex)) return undefined
  const found = [...store.records()].filter(({ id }) => id.startsWith(hex, 7))
  return found.length === 1 ? found[0]?.id : undefined
}

/** The error for an image that is not here, with Docker's text. */
export function noSuchImage(text: string): Error {
  const reference = parseName(text)
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
