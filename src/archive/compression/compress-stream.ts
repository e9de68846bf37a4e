import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip, createZstdCompress } from 'node:zlib'
import type { Compression } from './compression.ts'

const chunkBytes = 256 * 1024

/** Compresses a stream in libuv's thread pool, beside the caller's own work. If the source fails, the result fails with
 *  the same error. */
export async function* compressStream(
  source: AsyncIterable<Buffer>,
  form: Compression,
): AsyncGenerator<Buffer, void, undefined> {
  if (form === 'none') {
    yield* source
    return
  }
  const output = form === 'gzip' ? createGzip({ chunkSize: chunkBytes }) : createZstdCompress({ chunkSize: chunkBytes })
  const feeding = pipeline(Readable.from(source, { objectMode: false, highWaterMark: 4 * chunkBytes }), output)
  // The reading loop below reports errors.
  feeding.catch(() => {})
  try {
    for await (const chunk of output) yield chunk as Buffer
    await feeding
  } finally {
    output.destroy()
  }
}
