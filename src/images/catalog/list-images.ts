import type { Filters, ImageSummary } from '../../api/index.ts'
import { nowNs, parseNs } from '../../base/index.ts'
import {
  booleanFilter,
  checkFilters,
  hasWantedLabels,
  type ListImagesOptions,
  parseUntil,
} from '../../contract/index.ts'
import { type Digest, familiarReference } from '../../oci/index.ts'
import type { Image, ImageUse } from './image.ts'
import { matchesReference } from './image-filters.ts'
import type { ImageStore } from './image-store.ts'
import { isOnlyMember } from './index-members.ts'
import { manifestSummaries } from './manifest-summary.ts'

interface Matcher {
  readonly dangling: boolean | undefined
  readonly references: readonly string[]
  accepts(image: Image): boolean
}

/** The images that match, newest first. */
export function listImages(store: ImageStore, use: ImageUse, options: ListImagesOptions): ImageSummary[] {
  const { all, filters, sharedSize = false, manifests = false } = options
  checkFilters(filters, ['dangling', 'label', 'label!', 'before', 'since', 'reference', 'until'])
  const matcher = matcherOf(store, filters)
  const parents = new Set([...store.records()].map((record) => record.parent))
  const shared = sharedSize ? chainUsers(store) : undefined
  const summaries: { readonly createdNs: bigint; readonly summary: ImageSummary }[] = []
  // Members of an index are shown as manifests of the image that has its name.
  for (const { id } of [...store.records()].filter((record) => !isOnlyMember(store, record))) {
    const image = store.find(id)
    if (image === undefined || !matcher.accepts(image) || isHidden(image, all, parents, matcher.dangling === true))
      continue
    const names = matchingNames(store, id, matcher.references)
    if (matcher.references.length > 0 && names.tags.length + names.digests.length === 0) continue
    if (isOnOtherSide(image, matcher.dangling)) continue
    const summary: ImageSummary = {
      Id: id,
      ParentId: image.parent ?? '',
      RepoTags: names.tags,
      RepoDigests: names.digests,
      Created: unixSeconds(image.created),
      Size: image.sizeBytes,
      SharedSize: shared === undefined ? -1 : sharedBytes(image, shared),
      Labels: image.config.config?.Labels ?? null,
      Containers: sharedSize ? use.containersUsing(id).length : -1,
      ...(manifests ? manifestSummaries(store, image, use) : {}),
    }
    summaries.push({ createdNs: parseNs(image.created) ?? 0n, summary })
  }
  return summaries
    .sort((one, other) => Number(other.createdNs - one.createdNs) || one.summary.Id.localeCompare(other.summary.Id))
    .map(({ summary }) => summary)
}

/** An RFC 3339 time in Unix seconds (Go's value for Docker's zero time); 0 for text that is no time. */
export function unixSeconds(time: string): number {
  const ns = parseNs(time)
  return ns === undefined ? 0 : Number(ns / 1_000_000_000n)
}

/** True for an image that is only the parent of another, or was made on the way to one. */
function isHidden(image: Image, all: boolean, parents: ReadonlySet<Digest | undefined>, isAskedFor: boolean): boolean {
  if (all || image.references.length + image.digests.length > 0) return false
  return parents.has(image.id) || (image.isIntermediate && !isAskedFor)
}

/** True when the `dangling` filter hides the image. An image with only a digest as its name counts as both: it is shown
 *  on both sides. */
function isOnOtherSide({ references, digests }: Image, dangling: boolean | undefined): boolean {
  if (dangling === undefined) return false
  return dangling ? references.length > 0 : references.length + digests.length === 0
}

function matcherOf(store: ImageStore, filters: Filters): Matcher {
  const timeOf = (image: Image) => parseNs(image.created) ?? 0n
  const bounds = (key: string) => (filters[key] ?? []).map((name) => timeOf(store.resolve(name)))
  const before = bounds('before')
  const since = bounds('since')
  const now = nowNs()
  const until = (filters.until ?? []).map((text) => parseUntil(text, now))
  return {
    dangling: booleanFilter(filters, 'dangling'),
    references: filters.reference ?? [],
    accepts(image) {
      const time = timeOf(image)
      return (
        before.every((bound) => time < bound) &&
        since.every((bound) => time > bound) &&
        until.every((bound) => time < bound) &&
        hasWantedLabels(image.config.config?.Labels ?? {}, filters)
      )
    },
  }
}

function matchingNames(
  store: ImageStore,
  id: Digest,
  patterns: readonly string[],
): { readonly tags: readonly string[]; readonly digests: readonly string[] } {
  const names = store.names
    .of(id)
    .map(({ reference }) => reference)
    .filter((reference) => patterns.length === 0 || matchesReference(reference, patterns))
  return {
    tags: names.filter(({ tag }) => tag !== undefined).map(familiarReference),
    digests: names.filter(({ tag }) => tag === undefined).map(familiarReference),
  }
}

/** For each stack of layers, the number of images that use it. */
function chainUsers(store: ImageStore): ReadonlyMap<Digest, number> {
  const users = new Map<Digest, number>()
  for (const { layers } of store.records()) {
    for (const { chainId } of layers) users.set(chainId, (users.get(chainId) ?? 0) + 1)
  }
  return users
}

function sharedBytes(image: Image, users: ReadonlyMap<Digest, number>): number {
  return image.layers.reduce((sum, layer) => sum + ((users.get(layer.chainId) ?? 0) > 1 ? layer.sizeBytes : 0), 0)
}
