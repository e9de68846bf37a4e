/** A blob's bytes on their way to a client. */
import { pipeline } from 'node:stream/promises'
import { BerthError, errnoOf } from '../../base/index.ts'
import type { StoredBlob } from './pull-source.ts'
import type { AnswerHeaders, RegistryExchange } from './registry-exchange.ts'

export interface SendBlobOptions {
  readonly status: 200 | 206
  readonly headers: AnswerHeaders
  /** Which bytes, both included; of an empty blob `end` is -1. */
  readonly start: number
  readonly end: number
  /** A client that takes nothing for so long is cut off. */
  readonly idleMs: number
}

/** Answers with a part of a blob; nothing is read for HEAD or ahead of a slow client. */
export async function sendBlob(exchange: RegistryExchange, blob: StoredBlob, options: SendBlobOptions): Promise<void> {
  const { status, headers, start, end, idleMs } = options
  const { response } = exchange
  const length = end - start + 1
  const head = { ...headers, 'Content-Length': length }
  if (exchange.isHead || length === 0) {
    response.writeHead(status, head)
    response.end()
    return
  }
  const bytes = await blob.open({ start, end })
  response.writeHead(status, head)
  response.setTimeout(idleMs, () => response.destroy())
  bytes.on('data', (chunk: Buffer) => {
    exchange.sentBytes += chunk.length
  })
  try {
    await pipeline(bytes, response)
  } catch (error) {
    if (errnoOf(error) !== 'ERR_STREAM_PREMATURE_CLOSE') throw error
    throw new BerthError('cancelled', 'the client closed the connection', { cause: error })
  }
}
