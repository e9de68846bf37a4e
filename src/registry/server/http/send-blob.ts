/** Sends a blob's bytes to a client. */
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { BerthError, errnoOf } from '../../../base/index.ts'
import { descriptorOf } from '../../../http/index.ts'
import { sendFile } from '../../../sys/index.ts'
import type { StoredBlob } from '../library/pull-source.ts'
import { BufferPool } from '../model/buffer-pool.ts'
import type { ObjectReader } from '../storage/registry-storage.ts'
import type { AnswerHeaders, RegistryAnswer } from './registry-answer.ts'

export interface SendBlobOptions {
  readonly status: 200 | 206
  readonly headers: AnswerHeaders
  /** First and last byte, both included. For an empty blob `end` is -1. */
  readonly start: number
  readonly end: number
  /** The connection of a client that takes nothing for this time is cut. */
  readonly idleMs: number
}

/** For smaller blobs, copying is faster than asking a thread to send them. */
const minFileBytes = 128 * 1024
const pieces = new BufferPool(256 * 1024, 64)

/** Answers with a blob or a part of it. Reads nothing for HEAD, and no more than a slow client takes. Rejects with
 *  `cancelled` if the client leaves, and with `dataLoss` if the blob is shorter than it should be. */
export async function sendBlob(answer: RegistryAnswer, blob: StoredBlob, options: SendBlobOptions): Promise<void> {
  const { status, headers, start, end, idleMs } = options
  const { response } = answer
  const length = end - start + 1
  const head = { ...headers, 'Content-Length': length }
  if (answer.isHead || length === 0) {
    response.writeHead(status, head)
    response.end()
    return
  }
  // Opened before the answer begins, so that a missing blob is still answered with an error.
  const reader = await blob.openReader?.()
  const bytes = reader === undefined ? await blob.open({ start, end }) : undefined
  response.writeHead(status, head)
  const socket = plainSocket(response)
  if (reader?.fd !== undefined && socket !== undefined && length >= minFileBytes) {
    await sendFromFile(answer, reader, { ...socket, file: reader.fd }, options)
    return
  }
  response.setTimeout(idleMs, () => response.destroy())
  if (reader !== undefined) await sendPieces(answer, reader, start, end)
  else if (bytes !== undefined) {
    bytes.on('data', (chunk: Buffer) => {
      answer.sentBytes += chunk.length
    })
    await pipeline(bytes, response).catch(throwGone)
  }
}

/** The socket of an answer, if bytes that are written to its descriptor reach the client as they are: without TLS, and
 *  with no earlier answer still being sent on the connection. */
function plainSocket({ socket }: ServerResponse): PlainSocket | undefined {
  if (socket === null || 'encrypted' in socket) return undefined
  const fd = descriptorOf(socket)
  return fd === undefined ? undefined : { socket, fd }
}

interface PlainSocket {
  readonly socket: Socket
  readonly fd: number
}

/** Lets the kernel send the bytes from the file (sendfile(2)). */
async function sendFromFile(
  answer: RegistryAnswer,
  reader: ObjectReader,
  { socket, fd, file }: PlainSocket & { readonly file: number },
  { start, end, idleMs }: SendBlobOptions,
): Promise<void> {
  const { response } = answer
  const sizeBytes = end - start + 1
  const ended = new AbortController()
  const onClose = () => ended.abort(gone())
  // Node's own timeout doesn't notice the bytes that the kernel sends.
  const timer = setTimeout(() => response.destroy(), idleMs)
  response.once('close', onClose)
  try {
    response.flushHeaders()
    await new Promise<void>((resolve, reject) => {
      socket.write('', (error) => (error ? reject(gone(error)) : resolve()))
    })
    const onSent = (count: number) => {
      answer.sentBytes += count
      timer.refresh()
    }
    const sent = await sendFile(fd, file, { start, sizeBytes, onSent, signal: ended.signal })
    if (sent < sizeBytes) throw new BerthError('dataLoss', 'a blob is shorter than it should be')
    response.end()
  } catch (error) {
    throw ['EPIPE', 'ECONNRESET'].includes(errnoOf(error) ?? '') ? gone(error) : error
  } finally {
    clearTimeout(timer)
    response.off('close', onClose)
    await reader.close()
  }
}

/** Sends the bytes in pieces, and reads each piece while the one before it is sent. */
async function sendPieces(answer: RegistryAnswer, reader: ObjectReader, start: number, end: number): Promise<void> {
  const { response } = answer
  let sending: Promise<void> | undefined
  try {
    for (let position = start; position <= end; ) {
      const piece = pieces.take()
      const wanted = piece.subarray(0, Math.min(piece.length, end - position + 1))
      const count = await reader.read(wanted, position)
      if (count === 0) throw new BerthError('dataLoss', 'a blob is shorter than it should be')
      position += count
      await sending
      answer.sentBytes += count
      sending = send(response, piece, count)
      // It may fail while the next piece is read. The error is thrown at the next `await`.
      sending.catch(() => {})
    }
    await sending
    response.end()
  } finally {
    await reader.close()
  }
}

/** Sends the first bytes of a piece, then returns it to the pool. A piece that could not be sent is not returned: the
 *  socket may still use it. */
function send(response: ServerResponse, piece: Buffer, count: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const onClose = () => reject(gone())
    response.once('close', onClose)
    response.write(piece.subarray(0, count), (error) => {
      response.off('close', onClose)
      if (error) {
        reject(gone(error))
        return
      }
      pieces.give(piece)
      resolve()
    })
  })
}

function throwGone(error: unknown): never {
  throw errnoOf(error) === 'ERR_STREAM_PREMATURE_CLOSE' ? gone(error) : error
}

function gone(cause?: unknown): BerthError {
  return new BerthError('cancelled', 'the client closed the connection', { cause })
}
