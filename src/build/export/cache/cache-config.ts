/** The document that maps steps to layers, in the form that BuildKit writes and reads: a list of layers, and records
 *  that refer to layers and, as inputs, to the records of the steps before.
 *  https://github.com/moby/buildkit/blob/master/cache/remotecache/v1/doc.go */
import { invalidArgument } from '../../../base/index.ts'
import { type Descriptor, type Digest, isDigest, isObject } from '../../../oci/index.ts'

/** Media type of the document. */
export const cacheConfigType = 'application/vnd.buildkit.cacheconfig.v0'
/** The member of an image's configuration that contains the records of an inline cache. */
export const inlineCacheMember = 'moby.buildkit.cache.v0'

/** An entry of the document's list of layers. */
export interface CacheLayer {
  readonly blob: Digest
  /** Index of the layer below. -1: none. Absent: 0. */
  readonly parent?: number
  readonly annotations?: {
    readonly mediaType?: string
    readonly diffID?: Digest
    readonly size?: number
    readonly createdAt?: string
  }
}

/** The record of one step. */
export interface CacheRecordEntry {
  /** The step's key. */
  readonly digest: string
  readonly layers?: readonly { readonly layer: number; readonly createdAt?: string }[]
  readonly inputs?: readonly (readonly { readonly selector?: string; readonly link: number }[])[]
}

/** The whole document. */
export interface CacheConfig {
  readonly layers: readonly CacheLayer[]
  readonly records: readonly CacheRecordEntry[]
}

/** A step's layer that is ready for export: its blob has the wanted compression. */
export interface CachedStep {
  readonly key: string
  readonly diffId: Digest
  readonly blob: Descriptor
}

/** Makes the document for stacks of layers. Layers without a key (from base images) have no record. `created` is RFC
 *  3339. */
export function cacheConfigOf(stacks: readonly (readonly CachedStep[])[], created: string): CacheConfig {
  const layers: CacheLayer[] = []
  const records: CacheRecordEntry[] = []
  const layerAt = new Map<string, number>()
  const recordAt = new Map<string, number>()
  for (const stack of stacks) {
    let parent = -1
    let before: number | undefined
    for (const { key, diffId, blob } of stack) {
      const place = `${parent} ${blob.digest}`
      const { mediaType, digest, size } = blob
      const annotations = { mediaType, diffID: diffId, size, createdAt: created }
      const layer =
        layerAt.get(place) ?? layers.push({ blob: digest, ...(parent === 0 ? {} : { parent }), annotations }) - 1
      layerAt.set(place, layer)
      const inputs = before === undefined ? {} : { inputs: [[{ link: before }]] }
      const record =
        recordAt.get(key) ??
        records.push({ digest: `sha256:${key}`, layers: [{ layer, createdAt: created }], ...inputs }) - 1
      recordAt.set(key, record)
      parent = layer
      before = record
    }
  }
  return { layers, records }
}

/** Gives for each key the digest and diff id of its layer. */
export function stepsOf(
  config: CacheConfig,
): ReadonlyMap<
  string,
  { readonly blob: Digest; readonly diffId: Digest; readonly mediaType: string; readonly size: number }
> {
  const steps = new Map<string, { blob: Digest; diffId: Digest; mediaType: string; size: number }>()
  for (const { digest, layers = [] } of config.records) {
    const layer = config.layers[layers[0]?.layer ?? -1]
    const { diffID, mediaType, size } = layer?.annotations ?? {}
    if (layer === undefined || diffID === undefined || mediaType === undefined || size === undefined) continue
    steps.set(digest.replace(/^sha256:/, ''), { blob: layer.blob, diffId: diffID, mediaType, size })
  }
  return steps
}

/** Parses a document. Entries of an unknown form are left out. Throws `invalidArgument` when it is not a JSON
 *  object. */
export function parseCacheConfig(bytes: Uint8Array): CacheConfig {
  const value = parseJson(bytes)
  if (!isObject(value)) throw invalidArgument('the cache is not a JSON object')
  return { layers: listOf(value.layers).map(toLayer), records: recordsOf(value.records) }
}

/** Parses the records of an inline cache (`moby.buildkit.cache.v0`: base64 of JSON). */
export function parseInlineRecords(text: string): readonly CacheRecordEntry[] {
  return recordsOf(parseJson(Buffer.from(text, 'base64')))
}

/** Formats the records of an inline cache. Layer indexes refer to the image's own layers. */
export function formatInlineRecords(keys: readonly (string | undefined)[], created: string): string {
  const records: CacheRecordEntry[] = []
  let before: number | undefined
  for (const [layer, key] of keys.entries()) {
    if (key === undefined) continue
    const inputs = before === undefined ? {} : { inputs: [[{ link: before }]] }
    before = records.push({ digest: `sha256:${key}`, layers: [{ layer, createdAt: created }], ...inputs }) - 1
  }
  return Buffer.from(JSON.stringify(records)).toString('base64')
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch (cause) {
    throw invalidArgument('the cache is not JSON', { cause })
  }
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function toLayer(value: unknown): CacheLayer {
  const { blob, parent, annotations } = isObject(value) ? value : {}
  const { mediaType, diffID, size } = isObject(annotations) ? annotations : {}
  return {
    // An invalid layer keeps its place, because records refer to layers by index.
    blob: isDigest(blob) ? blob : nowhere,
    ...(typeof parent === 'number' ? { parent } : {}),
    ...(typeof mediaType === 'string' && isDigest(diffID) && typeof size === 'number' && isDigest(blob)
      ? { annotations: { mediaType, diffID, size } }
      : {}),
  }
}

const nowhere: Digest = `sha256:${'0'.repeat(64)}`

function recordsOf(value: unknown): readonly CacheRecordEntry[] {
  return listOf(value).map((record) => {
    const { digest, layers } = isObject(record) ? record : {}
    const results = listOf(layers).flatMap((one) =>
      isObject(one) && typeof one.layer === 'number' ? [{ layer: one.layer }] : [],
    )
    return { digest: typeof digest === 'string' ? digest : '', layers: results }
  })
}
