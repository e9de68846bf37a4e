/** What `DELETE /images/{name}` does to names and records, with Docker's order and conflicts. The files
 *  go afterwards, by garbage collection. */
import type { ImageDeleteItem } from '../api/index.ts'
import { conflict, shortId } from '../base/index.ts'
import { type Digest, familiarReference, parseReference, type Reference, withDefaultTag } from '../oci/index.ts'
import type { ImageUse, ImageUser, NamedTarget } from './image.ts'
import type { ImageStore } from './image-store.ts'

export interface RemoveOptions {
  readonly force: boolean
  /** Remove untagged parents as well. */
  readonly prune: boolean
}

/** Told of each change, for events. */
export interface RemovalListener {
  onUntag(id: Digest, reference: string): void
  onDelete(id: Digest): void
}

/** Removes an image, or one of its names, from the store.
 *  Throws `notFound`, or `conflict` when containers or other names hold it. */
export class ImageRemoval {
  readonly #store: ImageStore
  readonly #use: ImageUse
  readonly #listener: RemovalListener

  constructor(store: ImageStore, use: ImageUse, listener: RemovalListener) {
    this.#store = store
    this.#use = use
    this.#listener = listener
  }

  /** Does all that needs no files; the deleted items name images only. */
  remove(name: string, { force, prune }: RemoveOptions): ImageDeleteItem[] {
    const { id } = this.#store.resolve(name)
    const items: ImageDeleteItem[] = []
    if (isIdPrefix(id, name)) {
      const names = this.#store.namesOf(id)
      if (isOneName(names)) {
        this.#refuseIfUsed(id, { force, ignoreNames: true })
        for (const { reference } of names) items.push(this.#untag(id, reference))
      }
    } else if (this.#untagNamed(id, name, force, items)) {
      return items
    }
    this.#delete(id, { force, prune }, items)
    return items
  }

  /** Takes the given name away; true when others are left. */
  #untagNamed(id: Digest, name: string, force: boolean, items: ImageDeleteItem[]): boolean {
    const user = this.#use.containersUsing(id)[0]
    if (!force && user !== undefined && isOneName(this.#store.namesOf(id))) {
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
    const left = this.#store.namesOf(id).filter(isSameRepository)
    if (digest === undefined && left.every(({ reference }) => reference.tag === undefined)) {
      for (const { reference } of left) items.push(this.#untag(id, reference))
    }
    return this.#store.namesOf(id).length > 0
  }

  #delete(id: Digest, { force, prune }: RemoveOptions, items: ImageDeleteItem[]): void {
    this.#refuseIfUsed(id, { force, ignoreNames: false })
    const parent = this.#store.findRecord(id)?.parent
    for (const { reference } of this.#store.namesOf(id)) items.push(this.#untag(id, reference))
    this.#store.delete(id)
    this.#listener.onDelete(id)
    items.push({ Deleted: id })
    if (prune && parent !== undefined && this.#isIdle(parent)) this.#delete(parent, { force: false, prune }, items)
  }

  #untag(id: Digest, reference: Reference): ImageDeleteItem {
    this.#store.unname(reference)
    this.#listener.onUntag(id, familiarReference(reference))
    return { Untagged: familiarReference(reference) }
  }

  #refuseIfUsed(id: Digest, { force, ignoreNames }: { force: boolean; ignoreNames: boolean }): void {
    const refuse = (isHard: boolean, reason: string) =>
      conflict(
        `conflict: unable to delete ${shortId(id)} (${isHard ? 'cannot be forced' : 'must be forced'}) - ${reason}`,
      )
    if (this.#hasChildren(id)) throw refuse(true, 'image has dependent child images')
    const users = this.#use.containersUsing(id)
    const running = users.find((user) => user.running)
    if (running !== undefined) throw refuse(true, `image is being used by running container ${shortId(running.id)}`)
    if (force) return
    if (!ignoreNames && this.#store.namesOf(id).length > 0) {
      throw refuse(false, 'image is referenced in multiple repositories')
    }
    const stopped: ImageUser | undefined = users[0]
    if (stopped !== undefined) throw refuse(false, `image is being used by stopped container ${shortId(stopped.id)}`)
  }

  /** True when an image may go together with its last child. */
  #isIdle(id: Digest): boolean {
    if (this.#store.findRecord(id) === undefined) return false
    return this.#store.namesOf(id).length === 0 && !this.#hasChildren(id) && this.#use.containersUsing(id).length === 0
  }

  #hasChildren(id: Digest): boolean {
    for (const record of this.#store.records()) if (record.parent === id) return true
    return false
  }
}

/** True when the user's text is an id or the beginning of one, not a name. */
function isIdPrefix(id: Digest, text: string): boolean {
  return id.startsWith(text) || id.slice(7).startsWith(text)
}

/** True when all names are in one repository and at most one of them is a tag. */
function isOneName(names: readonly NamedTarget[]): boolean {
  const repositories = new Set(names.map(({ reference }) => `${reference.registry}/${reference.repository}`))
  return repositories.size === 1 && names.filter(({ reference }) => reference.tag !== undefined).length <= 1
}
