/** Removes names and records as `DELETE /images/{name}` does, in Docker's order and with its conflicts. Garbage
 *  collection removes the files afterwards. */
import type { ImageDeleteItem } from '../../api/index.ts'
import { conflict, shortId } from '../../base/index.ts'
import {
  type Digest,
  familiarReference,
  type Platform,
  parseReference,
  type Reference,
  withDefaultTag,
} from '../../oci/index.ts'
import type { ImageRecord, ImageUse, NamedTarget } from './image.ts'
import { type ImageStore, membersOf } from './image-store.ts'
import { chooseMembers, isOnlyMember, namesOfIndexes, withoutMembers } from './index-members.ts'

/** How to remove an image. */
export interface RemoveOptions {
  readonly force: boolean
  /** Remove untagged parents as well. */
  readonly prune: boolean
  /** Remove only the images for these platforms, of a name that has several. Absent or empty: all. */
  readonly platforms?: readonly Platform[]
}

/** Called for each change, to publish events. */
export interface RemovalListener {
  onUntag(id: Digest, reference: string): void
  onDelete(record: ImageRecord): void
}

/** Removes an image, or one of its names, from the store. Throws `notFound`, and `conflict` when containers or other
 *  names use the image. */
export class ImageRemoval {
  readonly #store: ImageStore
  readonly #use: ImageUse
  readonly #listener: RemovalListener
  /** The indexes and manifests that removed names stood for. */
  readonly #targets = new Set<Digest>()

  constructor(store: ImageStore, use: ImageUse, listener: RemovalListener) {
    this.#store = store
    this.#use = use
    this.#listener = listener
  }

  /** Removes names and records and returns them in Docker's form. Layers are not in the result: their files are not
   *  removed yet. */
  remove(name: string, { force, prune, platforms = [] }: RemoveOptions): ImageDeleteItem[] {
    const { id } = this.#store.resolve(name)
    const items: ImageDeleteItem[] = []
    const chosen = platforms.length === 0 ? undefined : chooseMembers(this.#store, name, platforms)
    if (chosen !== undefined && chosen.left.length > 0) {
      for (const record of chosen.members) this.#refuseMember(record, force)
      this.#store.putAll(withoutMembers(this.#store, chosen))
      for (const record of chosen.members) this.#delete(record.id, { force: true, prune, isQuiet: false }, items)
      return items
    }
    if (isIdPrefix(id, name)) {
      const names = this.#store.names.of(id)
      if (isOneName(names)) {
        const conflict = this.#findConflict(id, { force, ignoreNames: true })
        if (conflict !== undefined) throw refusal(id, conflict)
        for (const { reference } of names) items.push(this.#untag(id, reference))
      }
      this.#delete(id, { force, prune, isQuiet: false }, items)
    } else if (!this.#untagNamed(id, name, force, items)) {
      this.#delete(id, { force, prune, isQuiet: true }, items)
    }
    this.#deleteMembers(prune, items)
    return items
  }

  /** Removes images for other platforms with the last name of their index, unless a container uses them. */
  #deleteMembers(prune: boolean, items: ImageDeleteItem[]): void {
    for (const target of this.#targets) {
      if (this.#store.names.isTarget(target)) continue
      for (const record of membersOf(this.#store, target)) {
        if (this.#store.names.of(record.id).length > 0 || isOnlyMember(this.#store, record)) continue
        this.#delete(record.id, { force: false, prune, isQuiet: true }, items)
      }
    }
  }

  /** Throws `conflict` when a container or another name uses an image of an index. */
  #refuseMember(record: ImageRecord, force: boolean): void {
    const names = [...this.#store.names.of(record.id), ...namesOfIndexes(this.#store, record)]
    const conflict =
      this.#findConflict(record.id, { force, ignoreNames: true }) ??
      (force || isOneName(names) ? undefined : referencedElsewhere)
    if (conflict !== undefined) throw refusal(record.id, conflict)
  }

  /** Removes the given name. True when the image has other names. */
  #untagNamed(id: Digest, name: string, force: boolean, items: ImageDeleteItem[]): boolean {
    const user = this.#use.containersUsing(id)[0]
    if (!force && user !== undefined && isOneName(this.#store.names.of(id))) {
      throw conflict(
        `conflict: unable to remove repository reference "${name}" (must force) - ` +
          `container ${shortId(user.id)} is using its referenced image ${shortId(id)}`,
      )
    }
    const parsed = withDefaultTag(parseReference(name))
    const { digest } = parsed
    const { registry, repository } = parsed
    const removed = digest === undefined ? parsed : { registry, repository, digest }
    items.push(this.#untag(id, removed))
    const isSameRepository = ({ reference }: NamedTarget) =>
      reference.registry === registry && reference.repository === repository
    const left = this.#store.names.of(id).filter(isSameRepository)
    if (digest === undefined && left.every(({ reference }) => reference.tag === undefined)) {
      for (const { reference } of left) items.push(this.#untag(id, reference))
    }
    return this.#store.names.of(id).length > 0
  }

  /** Removes a record. With `isQuiet`, a name was removed already: a conflict is then reported only for an image that
   *  has neither names nor users. */
  #delete(
    id: Digest,
    { force, prune, isQuiet }: RemoveOptions & { readonly isQuiet: boolean },
    items: ImageDeleteItem[],
  ): void {
    const record = this.#store.findRecord(id)
    if (record === undefined) return
    const conflict = this.#findConflict(id, { force, ignoreNames: false })
    if (conflict !== undefined) {
      const isDangling = this.#store.names.of(id).length === 0 && !this.#hasChildren(id)
      if (isQuiet && (!isDangling || conflict.isUsed)) return
      throw refusal(id, conflict)
    }
    for (const { reference } of this.#store.names.of(id)) items.push(this.#untag(id, reference))
    this.#store.delete(id)
    this.#listener.onDelete(record)
    items.push({ Deleted: id })
    if (prune && record.parent !== undefined) {
      this.#delete(record.parent, { force: false, prune: true, isQuiet: true }, items)
    }
  }

  #untag(id: Digest, reference: Reference): ImageDeleteItem {
    const target = this.#store.names.find(reference)?.target.digest
    if (target !== undefined) this.#targets.add(target)
    this.#store.unname(reference)
    this.#listener.onUntag(id, familiarReference(reference))
    return { Untagged: familiarReference(reference) }
  }

  #findConflict(
    id: Digest,
    { force, ignoreNames }: { readonly force: boolean; readonly ignoreNames: boolean },
  ): Conflict | undefined {
    if (this.#hasChildren(id)) return { isHard: true, isUsed: false, reason: 'image has dependent child images' }
    const users = this.#use.containersUsing(id)
    const running = users.find((user) => user.running)
    if (running !== undefined) {
      const reason = `image is being used by running container ${shortId(running.id)}`
      return { isHard: true, isUsed: true, reason }
    }
    if (force) return undefined
    if (!ignoreNames && this.#store.names.of(id).length > 0) return referencedElsewhere
    const owner = ignoreNames ? undefined : this.#ownerOf(id)
    if (owner !== undefined) {
      return { isHard: false, isUsed: false, reason: `image belongs to ${owner}, which is for several platforms` }
    }
    const [stopped] = users
    if (stopped === undefined) return undefined
    const reason = `image is being used by stopped container ${shortId(stopped.id)}`
    return { isHard: false, isUsed: true, reason }
  }

  /** The name of an index that an image without a name belongs to. */
  #ownerOf(id: Digest): string | undefined {
    const record = this.#store.findRecord(id)
    if (record === undefined || !isOnlyMember(this.#store, record)) return undefined
    return namesOfIndexes(this.#store, record).map(({ reference }) => familiarReference(reference))[0]
  }

  #hasChildren(id: Digest): boolean {
    for (const record of this.#store.records()) if (record.parent === id) return true
    return false
  }
}

/** Why an image can't be removed. */
interface Conflict {
  /** Force does not help. */
  readonly isHard: boolean
  /** The reason is a container. */
  readonly isUsed: boolean
  readonly reason: string
}

const referencedElsewhere: Conflict = {
  isHard: false,
  isUsed: false,
  reason: 'image is referenced in multiple repositories',
}

function refusal(id: Digest, { isHard, reason }: Conflict): Error {
  const force = isHard ? 'cannot be forced' : 'must be forced'
  return conflict(`conflict: unable to delete ${shortId(id)} (${force}) - ${reason}`)
}

/** True when the user's text is an id or the beginning of one, not a name. */
function isIdPrefix(id: Digest, text: string): boolean {
  return id.startsWith(text) || id.slice(7).startsWith(text)
}

/** True when all names are in one repository and at most one of them is a tag. */
function isOneName(names: readonly NamedTarget[]): boolean {
  const repositories = new Set(names.map(({ reference }) => `${reference.registry}/${reference.repository}`))
  const tags = new Set(names.map(({ reference }) => reference.tag).filter((tag) => tag !== undefined))
  return repositories.size === 1 && tags.size <= 1
}
