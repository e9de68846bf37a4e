/** A context that the engine fetches from an address: a git repository, an archive, or a single Dockerfile. */
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { BerthError, invalidArgument, newId, notFound } from '../../base/index.ts'
import { HttpTransport } from '../../registry/client/index.ts'
import { remoteSource } from '../dockerfile/index.ts'
import type { BuildParts } from '../model/build-parts.ts'
import { DirectoryContext } from './directory-context.ts'
import { type FileContext, maxTextBytes } from './file-context.ts'
import { checkOutRepository, resolveRevision } from './git-repository.ts'
import { TarContext } from './tar-context.ts'
import { TextContext } from './text-context.ts'

/** Fetches the context. Throws `invalidArgument` for an address that is neither a URL nor a repository. */
export async function openRemoteContext(
  parts: Pick<BuildParts, 'directory' | 'workers' | 'images' | 'trash'>,
  url: string,
  { signal, dockerfileName }: { readonly signal: AbortSignal; readonly dockerfileName: string },
): Promise<FileContext> {
  const source = remoteSource(url) ?? remoteSource(`https://${url}`)
  if (source === undefined) throw invalidArgument(`unable to prepare context: ${url} is neither a URL nor a repository`)
  if (source.kind === 'git') {
    const commit = await resolveRevision(source.remote, source.reference, { signal })
    const directory = join(parts.directory, 'tmp', newId())
    const discard = () => parts.trash.discard(directory)
    try {
      const root = await checkOutRepository(source, commit, directory, { trash: parts.trash, signal })
      return new DirectoryContext(root, { workers: parts.workers, onEnd: discard, owner: { uid: 0, gid: 0 } })
    } catch (error) {
      discard()
      throw error
    }
  }
  const transport = new HttpTransport(parts.images.registries.transportOptions)
  try {
    const { status, headers, body } = await transport.send({ url: source.url, signal })
    if (status === 404) throw notFound(`failed to GET ${source.url} with status 404`)
    if (status >= 400) throw new BerthError('invalidArgument', `failed to GET ${source.url} with status ${status}`)
    const [first, whole] = await peek(body as AsyncIterable<Buffer>)
    const type = String(headers['content-type'] ?? '')
    if (!looksLikeText(first, type)) return await TarContext.read(whole, join(parts.directory, 'tmp'), { signal })
    return new TextContext(new Map([[dockerfileName, await readText(whole)]]))
  } finally {
    transport.close()
  }
}

async function peek(source: AsyncIterable<Buffer>): Promise<readonly [Buffer, AsyncIterable<Buffer>]> {
  const iterator = source[Symbol.asyncIterator]()
  const first = await iterator.next()
  const start = first.done === true ? Buffer.alloc(0) : first.value
  async function* whole(): AsyncIterable<Buffer> {
    yield start
    for (;;) {
      const next = await iterator.next()
      if (next.done === true) return
      yield next.value
    }
  }
  return [start, Readable.from(whole()) as AsyncIterable<Buffer>]
}

/** Tells a Dockerfile from an archive. A Dockerfile contains no NUL byte; an archive has one, or starts like a
 *  compressed file. */
function looksLikeText(start: Buffer, type: string): boolean {
  if (/^text\//i.test(type) && !start.includes(0)) return true
  return !start.subarray(0, 512).includes(0) && start.every((byte) => byte >= 9)
}

async function readText(source: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = []
  let length = 0
  for await (const chunk of source) {
    parts.push(chunk)
    length += chunk.length
    if (length > maxTextBytes) throw invalidArgument('the Dockerfile is too large')
  }
  return Buffer.concat(parts).toString('utf8')
}
