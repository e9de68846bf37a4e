/** Answers that are one long stream of bytes: archives. */
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { Exchange } from '../http/index.ts'

/** Bytes to be sent. */
export interface ByteStream {
  /** Known: the client is told, and can tell a cut answer from a whole one. */
  readonly sizeBytes?: number | undefined
  /** A piece's memory is its reader's until the next one is asked for. */
  readonly chunks: AsyncIterable<Buffer>
}

/** Answers 200 with the bytes, no faster than the client takes them. The status is sent with the first bytes, so a
 *  failure before them still gets its own; a later one cuts the connection, which no client takes for the end. */
export async function sendBytes(
  exchange: Exchange,
  contentType: string,
  { chunks, sizeBytes }: ByteStream,
): Promise<void> {
  if (sizeBytes !== undefined) exchange.setHeader('Content-Length', String(sizeBytes))
  let response: ServerResponse | undefined
  try {
    for await (const chunk of chunks) {
      response ??= exchange.openStream(200, contentType)
      if (exchange.isClientGone) return
      await write(response, chunk)
    }
  } catch (error) {
    if (response !== undefined) exchange.connection.cut()
    throw error
  }
  response ??= exchange.openStream(200, contentType)
  response.end()
  if (!response.writableFinished && !response.destroyed)
    await Promise.race([once(response, 'finish'), once(response, 'close')])
}

/** Resolves when the kernel has the bytes, or nobody wants them any more. */
function write(response: ServerResponse, chunk: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const finish = () => {
      response.off('close', finish)
      resolve()
    }
    response.once('close', finish)
    response.write(chunk, finish)
  })
}
