/** Checked options of `--cache-from` and `--cache-to`. https://docs.docker.com/build/cache/backends/ */
import type { BuildCacheOption } from '../../../api/index.ts'
import { invalidArgument, notImplemented } from '../../../base/index.ts'
import { parseReference, type Reference, withDefaultTag } from '../../../oci/index.ts'
import { type ImageAttributes, parseImageAttributes } from '../parts/image-attributes.ts'

/** The place of a cache. */
export type CachePlace =
  | { readonly type: 'registry'; readonly reference: Reference }
  /** A directory on the client. The index of the option says which one. */
  | { readonly type: 'local'; readonly tag: string; readonly digest: string | undefined }
  | { readonly type: 'inline' }

/** A checked `--cache-to`. */
export interface CacheExportOption {
  readonly place: CachePlace
  /** `max` exports the layers of all stages, `min` only those of the results. */
  readonly mode: 'min' | 'max'
  readonly layers: Pick<ImageAttributes, 'compression' | 'level' | 'forceCompression'>
  /** False: write an index instead of a manifest, for registries and daemons that accept no other cache. */
  readonly isManifest: boolean
  readonly ignoreError: boolean
}

const common = [
  'mode',
  'compression',
  'compression-level',
  'force-compression',
  'oci-mediatypes',
  'image-manifest',
  'ignore-error',
]

/** Checks a `--cache-to`. Throws `invalidArgument` for invalid options, `notImplemented` for backends that Berth does
 *  not support. */
export function parseCacheExport({ type, attrs }: BuildCacheOption): CacheExportOption {
  const place = placeOf(type, attrs, ['tag', ...common])
  const { mode = 'min', 'image-manifest': manifest = 'true', 'oci-mediatypes': ociTypes = 'true' } = attrs
  if (mode !== 'min' && mode !== 'max') throw invalidArgument(`invalid mode ${JSON.stringify(mode)} for cache`)
  if (ociTypes !== 'true') throw notImplemented("caches with Docker's media types")
  const wanted = ['compression', 'compression-level', 'force-compression'].filter((name) => attrs[name] !== undefined)
  const layers = parseImageAttributes({
    type: 'oci',
    attrs: Object.fromEntries(wanted.map((name) => [name, attrs[name] ?? ''])),
  })
  return { place, mode, layers, isManifest: manifest !== 'false', ignoreError: attrs['ignore-error'] === 'true' }
}

/** Checks a `--cache-from`. Throws like `parseCacheExport`. */
export function parseCacheImport({ type, attrs }: BuildCacheOption): CachePlace {
  return placeOf(type, attrs, ['tag', 'digest'])
}

function placeOf(type: string, attrs: Readonly<Record<string, string>>, known: readonly string[]): CachePlace {
  if (!['registry', 'local', 'inline'].includes(type)) {
    if (['gha', 's3', 'azblob'].includes(type)) throw notImplemented(`cache of type ${type}`)
    throw invalidArgument(`unknown cache type ${JSON.stringify(type)}`)
  }
  for (const name of Object.keys(attrs)) {
    if (!known.includes(name) && !(type === 'registry' && name === 'ref')) {
      throw invalidArgument(`unknown option ${JSON.stringify(name)} for cache of type ${type}`)
    }
  }
  if (type === 'inline') return { type }
  if (type === 'local') return { type, tag: attrs.tag ?? 'latest', digest: attrs.digest }
  const { ref = '' } = attrs
  if (ref === '') throw invalidArgument('ref is required for cache of type registry')
  return { type: 'registry', reference: withDefaultTag(parseReference(ref)) }
}
