/** pull, import and load: routes that bring images in and tell how far they are. */
import type { AuthConfig } from '../../api/index.ts'
import { invalidArgument } from '../../base/index.ts'
import { formatReference, parseDigest, parseReference, withDigest, withTag } from '../../oci/index.ts'
import { streamProgress } from '../progress-stream.ts'
import type { Call, Route } from '../route.ts'
import { notImplementedHere } from '../unbuilt-routes.ts'
import type { ImageBackend } from './backend.ts'
import { readPlatform } from './platform.ts'

/** The routes of `ImageSources`. */
export function imageSourceRoutes(backend: ImageBackend): readonly Route[] {
  return [
    {
      method: 'POST',
      pattern: '/images/create',
      handle: (call) => (call.query.text('fromImage') === '' ? importImage(backend, call) : pull(backend, call)),
    },
    {
      method: 'POST',
      pattern: '/images/load',
      handle: ({ exchange, query }) => {
        const options = { quiet: query.flag('quiet'), platform: readPlatform(query), signal: exchange.signal }
        return streamProgress(exchange, (onProgress) => backend.load(exchange.body, { ...options, onProgress }))
      },
    },
  ]
}

function pull(backend: ImageBackend, { exchange, query }: Call): Promise<void> {
  const reference = pullReference(query.text('fromImage'), query.text('tag'))
  const auth = decodeRegistryAuth(exchange.headers['x-registry-auth'])
  const options = { platform: query.optional('platform'), auth, signal: exchange.signal }
  return streamProgress(exchange, (onProgress) => backend.pull(reference, { ...options, onProgress }))
}

function importImage(backend: ImageBackend, { exchange, query }: Call): Promise<void> {
  const source = query.text('fromSrc')
  if (source === '') throw invalidArgument('one of fromImage and fromSrc must be given')
  if (source !== '-') throw notImplementedHere('import from a URL')
  const repository = query.text('repo')
  const tag = query.text('tag')
  const request = {
    source: exchange.body,
    reference: tag === '' || repository === '' ? repository : formatReference(withTag(parseReference(repository), tag)),
    message: query.text('message'),
    changes: query.all('changes'),
    platform: query.optional('platform'),
  }
  return streamProgress(exchange, (onProgress) => backend.import(request, { onProgress, signal: exchange.signal }))
}

/** Joins a name and its separate tag, which may be a digest. A name without either means every tag. */
function pullReference(name: string, tag: string): string {
  const reference = parseReference(name.replace(/:$/, ''))
  if (tag === '') {
    if (reference.tag === undefined && reference.digest === undefined) {
      throw notImplementedHere('pulling all tags of a repository')
    }
    return formatReference(reference)
  }
  return formatReference(tag.includes(':') ? withDigest(reference, parseDigest(tag)) : withTag(reference, tag))
}

/** `X-Registry-Auth`. One that can't be read counts as none, as a pull may do without. */
function decodeRegistryAuth(header: string | readonly string[] | undefined): AuthConfig | undefined {
  if (typeof header !== 'string' || header === '') return undefined
  try {
    const parsed: unknown = JSON.parse(Buffer.from(header, 'base64url').toString('utf8'))
    return typeof parsed === 'object' && parsed !== null && Object.keys(parsed).length > 0 ? parsed : undefined
  } catch {
    return undefined
  }
}
