/** Attributes of `--output`. Each attribute is honored or refused by name.
 *  https://docs.docker.com/build/exporters/image-registry/ */
import type { BuildOutput } from '../../../api/index.ts'
import { invalidArgument, notImplemented } from '../../../base/index.ts'

/** `kept` leaves the layers as they are. */
export type LayerCompression = 'gzip' | 'zstd' | 'uncompressed' | 'kept'

/** The checked attributes of one output. */
export interface ImageAttributes {
  /** Names from attribute `name`. Undefined: the target's tags. */
  readonly names: readonly string[] | undefined
  readonly push: boolean
  /** The image leaves the engine in a form that can have attestations. */
  readonly isSent: boolean
  readonly pushByDigest: boolean
  /** Keep the image in the engine's store. */
  readonly store: boolean
  readonly compression: LayerCompression
  /** Compression level on the compressor's own scale. Undefined: its default. */
  readonly level: number | undefined
  /** Compress layers again that have another compression. */
  readonly forceCompression: boolean
  readonly ociTypes: boolean
  /** False: write an OCI layout as a directory. */
  readonly tar: boolean
  readonly rewriteTimestamp: boolean
  /** Name the result by its manifest: leave the configuration's digest out of the metadata. */
  readonly preferImageDigest: boolean
  /** Attributes `annotation…` with their values, as given. */
  readonly annotations: ReadonlyMap<string, string>
}

const known: ReadonlySet<string> = new Set([
  ...['name', 'push', 'push-by-digest', 'store', 'unpack', 'name-canonical'],
  ...['compression', 'compression-level', 'force-compression'],
  ...['oci-mediatypes', 'rewrite-timestamp', 'tar', 'prefer-image-digest'],
])

/** Attributes that Berth does not support. `false` asks for what Berth does anyway. */
const refused: ReadonlySet<string> = new Set([
  'dangling-name-prefix',
  'registry.insecure',
  'oci-artifact',
  'prefer-nondist-layers',
])

/** Attributes of outputs that are files. */
const knownOfFiles: ReadonlySet<string> = new Set(['platform-split'])

/** True when outputs of this type have an attribute with that name, even if Berth refuses to honor it. */
export function hasOutputAttribute(type: BuildOutput['type'], name: string): boolean {
  if (type === 'tar' || type === 'local') return knownOfFiles.has(name)
  return known.has(name) || refused.has(name) || name.startsWith('annotation')
}

/** Checks the attributes. Throws `invalidArgument` for unknown ones, `notImplemented` for those that Berth does not
 *  support. */
export function parseImageAttributes(
  { type, attrs }: BuildOutput,
  { isIndexed = false }: { readonly isIndexed?: boolean } = {},
): ImageAttributes {
  const annotations = new Map(Object.entries(attrs).filter(([name]) => name.startsWith('annotation')))
  for (const [name, value] of Object.entries(attrs)) {
    if (refused.has(name)) refuse(name, value)
    else if (!hasOutputAttribute(type, name))
      throw invalidArgument(`unknown option ${JSON.stringify(name)} for the ${type} exporter`)
  }
  const flag = (name: string, fallback: boolean) => booleanOf(name, attrs[name], fallback)
  const push = type === 'registry' || flag('push', false)
  // An image that stays here is compressed when it is pushed. An index lists compressed blobs, so its layers are
  // compressed now.
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
    preferImageDigest: flag('prefer-image-digest', false),
    annotations,
  }
}

function refuse(name: string, value: string): void {
  const isOff = name !== 'dangling-name-prefix' && !booleanOf(name, value, true)
  if (!isOff) throw notImplemented(`output option ${name}`)
}

/** Checks the attributes of outputs that are files. Gives the value of `platform-split`: whether each platform gets a
 *  directory of its own. Undefined when it is not given. */
export function parseFileAttributes(type: string, attrs: BuildOutput['attrs']): boolean | undefined {
  for (const name of Object.keys(attrs)) {
    if (knownOfFiles.has(name)) continue
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
