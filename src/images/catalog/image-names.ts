/** The names of images, and what each name stands for.
 *  The image store owns them and keeps them equal to its table; everything else only reads them. */
import { invalidArgument, isKind } from '../../base/index.ts'
import {
  type Descriptor,
  type Digest,
  defaultTag,
  formatReference,
  parseReference,
  type Reference,
  withDefaultTag,
  withDigest,
} from '../../oci/index.ts'
import type { NamedTarget } from './image.ts'

/** A name, what it stands for, and the image that has it. */
export interface NamedImage extends NamedTarget {
  readonly imageId: Digest
}

/** Looks up names. */
export interface ImageNames {
  /** What a full name stands for; without tag and digest it means `:latest`. */
  find(reference: Reference): NamedImage | undefined
  /** What a name stands for that a user typed; undefined for full ids and for unknown names. Throws `invalidArgument` for
   *  text that is neither a name nor the beginning of an id. */
  lookUp(text: string): NamedImage | undefined
  /** The names of an image, tags before digests, in alphabetical order. */
  of(id: Digest): NamedTarget[]
  /** True while a name stands for this manifest or index. */
  isTarget(digest: Digest): boolean
  /** All names, in no order. */
  all(): Iterable<NamedImage>
}

/** All names in memory. */
export class NameIndex implements ImageNames {
  readonly #names = new Map<string, NamedImage>()
  readonly #namesOf = new Map<Digest, Set<string>>()
  /** The number of names that stand for each manifest or index. */
  readonly #targets = new Map<Digest, number>()

  find(reference: Reference): NamedImage | undefined {
    return this.#names.get(formatReference(withDefaultTag(reference)))
  }

  lookUp(text: string): NamedImage | undefined {
    const reference = parseName(text)
    return reference === undefined ? undefined : this.#names.get(formatReference(lookupForm(reference)))
  }

  of(id: Digest): NamedTarget[] {
    const keys = [...(this.#namesOf.get(id) ?? [])].sort()
    return keys.map((key) => this.#names.get(key)).filter((name) => name !== undefined)
  }

  isTarget(digest: Digest): boolean {
    return this.#targets.has(digest)
  }

  all(): Iterable<NamedImage> {
    return this.#names.values()
  }

  /** Points a name to an image, away from the one that had it. */
  add(reference: Reference, imageId: Digest, target: Descriptor): void {
    this.remove(reference)
    const key = formatReference(reference)
    this.#names.set(key, Object.freeze({ reference, target, imageId }))
    this.#targets.set(target.digest, (this.#targets.get(target.digest) ?? 0) + 1)
    const names = this.#namesOf.get(imageId) ?? new Set<string>()
    names.add(key)
    this.#namesOf.set(imageId, names)
  }

  /** Removes a name; no error when there is none. */
  remove(reference: Reference): void {
    const key = formatReference(reference)
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

/** The reference that a user's text is; undefined for a full id and for the beginning of one with `sha256:`. Throws
 *  `invalidArgument` for other text that is no reference. */
export function parseName(text: string): Reference | undefined {
  if (/^(sha256:)?[0-9a-f]{64}$/.test(text)) return undefined
  try {
    return parseReference(text)
  } catch (error) {
    if (/^sha256:[0-9a-f]+$/.test(text) && isKind(error, 'invalidArgument')) return undefined
    if (text === '') throw invalidArgument('invalid reference format')
    throw error
  }
}

/** If a reference has a digest, the digest alone decides, not the tag beside it. */
function lookupForm(reference: Reference): Reference {
  if (reference.digest !== undefined) return withDigest(reference, reference.digest)
  return { ...reference, tag: reference.tag ?? defaultTag }
}
