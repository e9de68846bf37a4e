/** Refuses what fills the disk while the disk of the data root is full. Without that, such a request fails midway, after
 *  it has used the room that ends and removals of containers need. */
import { BerthError } from '../base/index.ts'
import type { ContainerBackend, ImageBackend } from '../contract/index.ts'
import { type FreeRoom, freeRoom } from '../sys/index.ts'

/** Below this, the disk counts as full. The smallest container needs a few dozen inodes and some 100 kB. */
const leastBytes = 8 * 1024 * 1024
const leastInodes = 256

/** What the disk lacks, as a sentence that also says what to do. Undefined if the disk has room. */
export function lackOf({ bytes, inodes }: FreeRoom): string | undefined {
  const advice = 'remove containers, images, volumes or build cache (see "berth system df" and "berth system prune")'
  if (bytes < leastBytes) return `the disk of the data root is full (${Math.floor(bytes / 1024)} kB free): ${advice}`
  if (inodes !== undefined && inodes < leastInodes)
    return `the disk of the data root has no room for more files (${inodes} inodes free): ${advice}`
  return undefined
}

/** Throws `noSpace` if the disk of `dataRoot` is full. */
export function requireRoom(dataRoot: string): void {
  const lack = lackOf(freeRoom(dataRoot))
  if (lack !== undefined) throw new BerthError('noSpace', lack)
}

/** The verbs of containers; those that need room reject with `noSpace` on a full disk. */
export function roomyContainers(verbs: ContainerBackend, dataRoot: string): ContainerBackend {
  return {
    ...verbs,
    async create(request) {
      requireRoom(dataRoot)
      return await verbs.create(request)
    },
    async commit(id, options) {
      requireRoom(dataRoot)
      return await verbs.commit(id, options)
    },
  }
}

/** The verbs of images; those that need room reject with `noSpace` on a full disk. */
export function roomyImages(verbs: ImageBackend, dataRoot: string): ImageBackend {
  return {
    ...verbs,
    async pull(reference, options) {
      requireRoom(dataRoot)
      await verbs.pull(reference, options)
    },
    async load(source, options) {
      requireRoom(dataRoot)
      await verbs.load(source, options)
    },
    async import(request, options) {
      requireRoom(dataRoot)
      await verbs.import(request, options)
    },
    async tag(name, repository, tag) {
      requireRoom(dataRoot)
      await verbs.tag(name, repository, tag)
    },
  }
}
