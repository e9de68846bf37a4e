/** Attributes of `--output` for images and archives. Each is honoured or refused by name.
 *  https://docs.docker.com/build/exporters/image-registry/ */
import type { BuildOutput } from '../../../api/index.ts'
import { invalidArgument, notImplemented } from '../../../base/index.ts'

/** `kept`: as the layers are. */
export type LayerCompression = 'gzip' | 'zstd' | 'uncompressed' | 'kept'

export interface ImageAttributes {
  /** As given by `name`; undefined: the target's tags. */
  readonly names: readonly string[] | undefined
  readonly push: boolean
  /** It leaves the engine as an image that can have attestations. */
  readonly isSent: boolean
  readonly pushByDigest: boolean
  /** Keep it in the engine's store. */
  readonly store: boolean
  readonly compression: LayerCompression
  /** Of the compressor's own scale; undefined for its usual one. */
  readonly level: number | undefined
  /** Also for layers that are compressed in another way already. */
  readonly forceCompression: boolean
  readonly ociTypes: boolean
  /** False: an OCI layout as a directory. */
  readonly tar: boolean
  readonly rewriteTimestamp: boolean
  /** `annotation…` → value, as written. */
  readonly annotations: ReadonlyMap<string, string>
}

const known: ReadonlySet<string> = new Set([
  ...['name', 'push', 'push-by-digest', 'store', 'unpack', 'name-canonical'],
  ...['compression', 'compression-level', 'force-compression'],
  ...['oci-mediatypes', 'rewrite-timestamp', 'tar'],
])

const refused: ReadonlySet<string> = new Set([
  'dangling-name-prefix',
  'registry.insecure',
  'oci-artifact',
  'prefer-nondist-layers',
])

/** Throws `invalidArgument` for what no image has, `notImplemented` for what Berth doesn't do. */
export function parseImageAttributes(
  { type, attrs }: BuildOutput,
  { isIndexed = false }: { readonly isIndexed?: boolean } = {},
): ImageAttributes {
  const annotations = new Map<string, string>()
  for (const [name, value] of Object.entries(attrs)) {
    if (name.startsWith('annotation')) annotations.set(name, value)
    else if (refused.has(name)) throw notImplemented(`output option ${name}`)
    else if (!known.has(name)) throw invalidArgument(`unknown option ${JSON.stringify(name)} for the ${type} exporter`)
  }
  const flag = (name: string, fallback: boolean) => booleanOf(name, attrs[name], fallback)
  const push = type === 'registry' || flag('push', false)
  // What stays here is compressed when it is pushed, if ever; what an index lists is pushed as it is.
  const usual = type === 'image' && !push && !isIndexed ? 'kept' : 'gzip'
  const { name, compression = usual, 'compression-level': level } = attrs
  if (compression === 'estargz') throw notImplemented('compression estargz')
  if (compression !== 'gzip' && compression !== 'zstd' && compression !== 'uncompressed' && compression !== usual) {
    throw invalidArgument(`unsupported layer compression type: ${JSON.stringify(compression)}`)
  }
  if (level !== undefined && !/^\d{1,2}$/.test(level))
    throw invalidArgument(`invalid compression-level ${JSON.stringify(level)}`)
  return {
    names: name === undefined ? undefined : name.split(',').filter((one) => one !== ''),
    push,
    isSent: push || type === 'oci',
    pushByDigest: flag('push-by-digest', false),
    store: type === 'image' && flag('store', true),
    compression,
    level: level === undefined ? undefined : Number(level),
    forceCompression: flag('force-compression', false),
    ociTypes: flag('oci-mediatypes', true),
    tar: flag('tar', true),
    rewriteTimestamp: flag('rewrite-timestamp', false),
    annotations,
  }
}

/** Attributes of outputs that are files: whether those of each platform get a directory of their own, where it is said. */
export function parseFileAttributes(type: string, attrs: BuildOutput['attrs']): boolean | undefined {
  for (const name of Object.keys(attrs)) {
    if (name === 'platform-split') continue
    throw invalidArgument(`unknown option ${JSON.stringify(name)} for the ${type} exporter`)
  }
  const given = attrs['platform-split']
  return given === undefined ? undefined : booleanOf('platform-split', given, true)
}

function booleanOf(name: string, value: string | undefined, fallback: boolean): boolean {
  if (value === undefined) return fallback
  if (['', '1', 't', 'true'].includes(value.toLowerCase())) return true
  if (['0', 'f', 'false'].includes(value.toLowerCase())) return false
  throw invalidArgument(`non-bool value ${JSON.stringify(value)} for ${name}`)
}
