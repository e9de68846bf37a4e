/** Detects and undoes the compression of layers. The first bytes decide: media types of registries and file names are
 *  not trusted. */
import { createGunzip, createZstdDecompress, type Gunzip, type ZstdDecompress } from 'node:zlib'
import { type AbortOptions, BerthError, isBerthError, messageOf, notImplemented } from '../../base/index.ts'
import { filterThrough } from '../../sys/index.ts'

/** The compressions of layers. */
export type Compression = 'none' | 'gzip' | 'zstd'

/** Compressions that registries do not accept, but users' archives have. */
type HostCompression = 'xz' | 'bzip2'

/** Number of first bytes that `detectCompression` needs. */
export const compressionMagicBytes = 6

const magics: readonly { readonly name: Compression | HostCompression; readonly bytes: Buffer }[] = [
  { name: 'gzip', bytes: Buffer.from([0x1f, 0x8b]) },
  { name: 'zstd', bytes: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]) },
  { name: 'xz', bytes: Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]) },
  { name: 'bzip2', bytes: Buffer.from([0x42, 0x5a, 0x68]) },
]

/** The compression of data that starts with these bytes. Throws `notImplemented` for known compressions that are not
 *  supported. */
export function detectCompression(start: Buffer): Compression {
  const name = detectAny(start)
  if (name === 'xz' || name === 'bzip2') {
    throw notImplemented(`${name} compression is not supported; use gzip, zstd or none`)
  }
  return name
}

/** The compression of data that starts with these bytes, including those that need host programs. */
function detectAny(start: Buffer): Compression | HostCompression {
  const found = magics.find(
    ({ bytes }) => start.length >= bytes.length && start.subarray(0, bytes.length).equals(bytes),
  )
  return found?.name ?? (isSkippableZstdFrame(start) ? 'zstd' : 'none')
}

/** True for a frame of metadata that zstd data may begin with (0x184D2A50 to 0x184D2A5F, little-endian). */
function isSkippableZstdFrame(start: Buffer): boolean {
  return start.length >= 4 && (start.readUInt32LE(0) & 0xfffffff0) === 0x184d2a50
}

/** Decompressed data. */
export interface Decompressed {
  readonly compression: Compression
  readonly data: AsyncIterable<Buffer>
}

/** Size of the output chunks; each chunk costs a turn of the event loop. */
const chunkBytes = 256 * 1024

/** Room for several chunks, so that the decompressing thread does not wait for the unpacking one. */
const streamOptions = { chunkSize: chunkBytes, highWaterMark: 4 * chunkBytes }

/** Decompresses data, as its first bytes say. gzip and zstd run in libuv's thread pool, beside the caller's own work.
 *  Damaged or truncated data fails the iteration with `invalidArgument`. */
export async function decompress(source: AsyncIterable<Buffer>): Promise<Decompressed> {
  const { start, whole, iterator } = await peek(source)
  let compression: Compression
  try {
    compression = detectCompression(start)
  } catch (error) {
    await iterator.return?.()
    throw error
  }
  return { compression, data: compression === 'none' ? whole : inflate(whole, compression) }
}

/** Decompresses a user's own archive. xz and bzip2 run through the host's programs, which only the main thread can
 *  start. With `only`, data of other compressions is passed on unchanged. */
export async function decompressUpload(
  source: AsyncIterable<Buffer>,
  { only, signal }: AbortOptions & { readonly only?: 'host' } = {},
): Promise<AsyncIterable<Buffer>> {
  const { start, whole } = await peek(source)
  const name = detectAny(start)
  if (name === 'xz' || name === 'bzip2')
    return filterThrough(name, ['-d', '-c', '-q'], whole, { ...(signal ? { signal } : {}) })
  return name === 'none' || only === 'host' ? whole : inflate(whole, name)
}

interface Peeked {
  readonly start: Buffer
  /** All bytes: the first ones and the rest. */
  readonly whole: AsyncIterable<Buffer>
  readonly iterator: AsyncIterator<Buffer>
}

async function peek(source: AsyncIterable<Buffer>): Promise<Peeked> {
  const iterator = source[Symbol.asyncIterator]()
  const first: Buffer[] = []
  let length = 0
  while (length < compressionMagicBytes) {
    const next = await iterator.next()
    if (next.done === true) break
    first.push(next.value)
    length += next.value.length
  }
  return { start: Buffer.concat(first), whole: resume(first, iterator), iterator }
}

async function* resume(first: readonly Buffer[], rest: AsyncIterator<Buffer>): AsyncIterable<Buffer> {
  try {
    yield* first
    for (;;) {
      const next = await rest.next()
      if (next.done === true) return
      yield next.value
    }
  } finally {
    await rest.return?.()
  }
}

async function* inflate(source: AsyncIterable<Buffer>, compression: 'gzip' | 'zstd'): AsyncIterable<Buffer> {
  const output = compression === 'gzip' ? createGunzip(streamOptions) : createZstdDecompress(streamOptions)
  let sourceError: unknown
  const feeding = feed(source, output).catch((error: unknown) => {
    sourceError = error
    output.destroy(error instanceof Error ? error : new Error(messageOf(error)))
  })
  try {
    for await (const chunk of output) yield chunk as Buffer
    await feeding
  } catch (cause) {
    throw damage(cause, compression)
  } finally {
    output.destroy()
    await feeding
  }
  if (sourceError !== undefined) throw damage(sourceError, compression)

  function damage(cause: unknown, name: string): unknown {
    // An error of the source keeps its kind.
    if (sourceError !== undefined) return sourceError
    if (isBerthError(cause)) return cause
    return new BerthError('invalidArgument', `damaged ${name} data: ${messageOf(cause)}`, { cause })
  }
}

/** Writes the source into the decompressor. It reads the source to its end even when the decompressor has enough,
 *  because bytes may follow the compressed data and a reader that counts or hashes the source needs them. It stops when
 *  the decompressor was destroyed. */
async function feed(source: AsyncIterable<Buffer>, output: Gunzip | ZstdDecompress): Promise<void> {
  for await (const chunk of source) {
    if (output.readableEnded) continue
    if (output.destroyed) return
    if (!output.write(chunk)) await roomOrEnd(output)
  }
  if (!output.readableEnded && !output.destroyed) output.end()
}

function roomOrEnd(output: Gunzip | ZstdDecompress): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const events = ['drain', 'end', 'close'] as const
  for (const event of events) output.once(event, resolve)
  return promise.finally(() => {
    for (const event of events) output.off(event, resolve)
  })
}
