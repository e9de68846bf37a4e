/** Answers that are one long stream of bytes, like archives. */
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { Exchange } from '../../http/index.ts'

/** Bytes to be sent. */
export interface ByteStream {
  /** If it is known, the answer has a Content-Length, by which the client recognizes a cut answer. */
  readonly sizeBytes?: number | undefined
  /** A chunk is valid until the next one is asked for. */
  readonly chunks: AsyncIterable<Buffer>
}

/** Answers 200 with the bytes, no faster than the client reads them. The status is sent with the first bytes, so that an
 *  earlier failure is answered with its own status. A later failure closes the connection, which every client recognizes
 *  as an incomplete answer. */
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

/** Resolves when the kernel has the bytes or the client has gone. */
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
