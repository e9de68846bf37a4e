/** The document that says which step gave which layer, in the form that BuildKit writes and reads: a list of layers, and
 *  records that point to them and, by their inputs, to the records of the steps before.
 *  https://github.com/moby/buildkit/blob/master/cache/remotecache/v1/doc.go */
import { invalidArgument } from '../../../base/index.ts'
import { type Descriptor, type Digest, isDigest, isObject } from '../../../oci/index.ts'

/** The document's media type. */
export const cacheConfigType = 'application/vnd.buildkit.cacheconfig.v0'
/** The member of an image's configuration that holds the records of its own layers. */
export const inlineCacheMember = 'moby.buildkit.cache.v0'

export interface CacheLayer {
  readonly blob: Digest
  /** -1: none. Left out: 0. */
  readonly parent?: number
  readonly annotations?: {
    readonly mediaType?: string
    readonly diffID?: Digest
    readonly size?: number
    readonly createdAt?: string
  }
}

export interface CacheRecordEntry {
  /** The step's key. */
  readonly digest: string
  readonly layers?: readonly { readonly layer: number; readonly createdAt?: string }[]
  readonly inputs?: readonly (readonly { readonly selector?: string; readonly link: number }[])[]
}

export interface CacheConfig {
  readonly layers: readonly CacheLayer[]
  readonly records: readonly CacheRecordEntry[]
}

/** A step's layer, ready to be exported: its blob is in the form in which it goes out. */
export interface CachedStep {
  readonly key: string
  readonly diffId: Digest
  readonly blob: Descriptor
}

/** The document for some stacks of layers; a layer without a key (a base image's) is left out.
 *  `created`: RFC 3339. */
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

/** What a document gives for each key: the digest and the diffID of a layer. */
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

/** Reads a document. What isn't of the form is left out; throws `invalidArgument` when it is no JSON object. */
export function parseCacheConfig(bytes: Uint8Array): CacheConfig {
  const value = parseJson(bytes)
  if (!isObject(value)) throw invalidArgument('the cache is not a JSON object')
  return { layers: listOf(value.layers).map(toLayer), records: recordsOf(value.records) }
}

/** The records that an image's configuration holds, as `moby.buildkit.cache.v0` has them (base64 of JSON). */
export function parseInlineRecords(text: string): readonly CacheRecordEntry[] {
  return recordsOf(parseJson(Buffer.from(text, 'base64')))
}

/** The value of `moby.buildkit.cache.v0`: records whose layers are counted as the image has them. */
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
    // One that can't be had keeps its place, for others are counted.
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
