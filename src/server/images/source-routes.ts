/** pull, push, import and load: routes that transfer images and report progress. */
import { invalidArgument } from '../../base/index.ts'
import type { ImageBackend } from '../../contract/index.ts'
import { formatReference, isDigest, parseReference, type Reference, withDigest, withTag } from '../../oci/index.ts'
import { streamProgress } from '../answers/progress-stream.ts'
import { type Call, pathParameter, type Route } from '../answers/route.ts'
import { decodeRegistryAuth } from '../requests/registry-auth.ts'
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
      pattern: '/images/{name...}/push',
      handle: (call) => push(backend, call),
    },
    {
      method: 'POST',
      pattern: '/images/load',
      handle: ({ exchange, query }) => {
        const options = { quiet: query.flag('quiet'), platform: readPlatform(query), signal: exchange.signal }
        const load: Parameters<typeof streamProgress>[1] = (onProgress) =>
          backend.load(exchange.body, { ...options, onProgress })
        // Clients like docker-py raise another exception for an error status.
        return streamProgress(exchange, load, { alwaysStream: true })
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

/** Pushes one tag; without a tag, all tags of the repository. */
function push(backend: ImageBackend, call: Call): Promise<void> {
  const { exchange, query } = call
  const name = pathParameter(call, 'name')
  const tag = query.text('tag')
  const reference = tag === '' ? name : formatReference(tagged(parseReference(name), tag))
  const options = {
    platform: readPlatform(query),
    auth: decodeRegistryAuth(exchange.headers['x-registry-auth']),
    signal: exchange.signal,
  }
  return streamProgress(exchange, (onProgress) => backend.push(reference, { ...options, onProgress }))
}

function tagged(reference: Reference, tag: string): Reference {
  return isDigest(tag) ? withDigest(reference, tag) : withTag(reference, tag)
}

function importImage(backend: ImageBackend, { exchange, query }: Call): Promise<void> {
  const from = query.text('fromSrc')
  if (from === '') throw invalidArgument('one of fromImage and fromSrc must be given')
  const repository = query.text('repo')
  const tag = query.text('tag')
  const request = {
    source: from === '-' ? exchange.body : from,
    reference: tag === '' || repository === '' ? repository : formatReference(withTag(parseReference(repository), tag)),
    message: query.text('message'),
    changes: query.all('changes'),
    platform: query.optional('platform'),
  }
  return streamProgress(exchange, (onProgress) => backend.import(request, { onProgress, signal: exchange.signal }))
}

/** Joins a name and its separate tag, which may be a digest. A name without tag and digest means all tags. */
function pullReference(name: string, tag: string): string {
  const reference = parseReference(name.replace(/:$/, ''))
  return formatReference(tag === '' ? reference : tagged(reference, tag))
}
