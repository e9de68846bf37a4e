/** Leaving HTTP on a connection: the server's side. */

import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { type Duplex, Readable } from 'node:stream'
import { invalidArgument } from '../../base/index.ts'
import { hasBody, type JsonBodyOptions, readJsonBody } from '../bodies/json-body.ts'
import { rawStreamType } from './frames.ts'
import type { HijackedConnection } from './hijacked-connection.ts'
import { endWithPeer } from './peer.ts'
import { SocketInput } from './socket-input.ts'

/** How long a client may take to close its side after it has been sent everything. */
const lingerMs = 10_000
/** The end of a chunked body that was complete before the upgrade. The raw input follows it. */
const lastChunk = Buffer.from('0\r\n\r\n')
const maxBodyBytes = 4 * 1024 * 1024

/** A request whose connection leaves HTTP. */
export interface TakeOverRequest {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** Undefined: the request came in chunks and stays with the parser. */
  readonly socket: Duplex | undefined
  readonly contentType: string
}

/** Sends the head of the answer and gives both directions of the connection. */
export function takeOver({ request, response, socket, contentType }: TakeOverRequest): HijackedConnection {
  if (socket === undefined) return answerInChunks(request, response, contentType)
  const isUpgrade = request.headers.upgrade !== undefined
  // An old client, which does not ask for an upgrade, knows no other content type.
  const lines = isUpgrade
    ? ['HTTP/1.1 101 UPGRADED', `Content-Type: ${contentType}`]
    : ['HTTP/1.1 200 OK', `Content-Type: ${rawStreamType}`]
  if (isUpgrade) lines.push('Connection: Upgrade', 'Upgrade: tcp')
  for (const [name, value] of Object.entries(response.getHeaders())) lines.push(`${headerCase(name)}: ${String(value)}`)
  response.detachSocket(request.socket)
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  const input = new SocketInput(socket)
  return {
    output: socket,
    input,
    endWithPeer: () => endWithPeer(socket),
    finish: () => {
      if (!socket.writableEnded) socket.end()
      input.destroy()
      if (socket.destroyed) return
      const timer = setTimeout(() => socket.destroy(), lingerMs).unref()
      socket.once('close', () => clearTimeout(timer))
    },
  }
}

/** Sends the head of an answer that switches protocols, and gives the connection. */
export function switchProtocol({
  request,
  response,
  socket,
  protocol,
}: Omit<TakeOverRequest, 'contentType' | 'socket'> & { readonly socket: Duplex; readonly protocol: string }): Duplex {
  const lines = ['HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', `Upgrade: ${protocol}`]
  for (const [name, value] of Object.entries(response.getHeaders())) lines.push(`${headerCase(name)}: ${String(value)}`)
  response.detachSocket(request.socket)
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  // In HTTP a client that closed its sending side still gets its answer. In the new protocol it has gone.
  socket.allowHalfOpen = false
  return socket
}

/** Reads a JSON body from a connection that the parser has released. The bytes behind the body stay in the socket. */
export async function readTakenJson(
  socket: Duplex,
  headers: IncomingHttpHeaders,
  options?: JsonBodyOptions,
): Promise<unknown> {
  return readJsonBody(Readable.from(await readTakenBody(socket, headers)), headers, options)
}

/** Removes the body in front of the raw input. */
export async function skipTakenBody(socket: Duplex, headers: IncomingHttpHeaders): Promise<void> {
  if (headers['transfer-encoding'] === undefined) await readTakenBody(socket, headers)
  else skipLastChunk(socket)
}

async function readTakenBody(socket: Duplex, headers: IncomingHttpHeaders): Promise<Buffer[]> {
  if (!hasBody(headers)) return []
  if (headers['transfer-encoding'] !== undefined) return readChunkedBody(socket)
  const length = Number(headers['content-length'])
  if (length > maxBodyBytes) throw invalidArgument(`request body too large: more than ${maxBodyBytes} bytes`)
  return [await readBytes(socket, length)]
}

async function readChunkedBody(socket: Duplex): Promise<Buffer[]> {
  const chunks: Buffer[] = []
  let total = 0
  for (;;) {
    const size = Number.parseInt(await readLine(socket), 16)
    if (!(size >= 0 && (total += size) <= maxBodyBytes)) throw invalidArgument('invalid chunked request body')
    if (size > 0) chunks.push(await readBytes(socket, size))
    await readLine(socket)
    if (size === 0) return chunks
  }
}

async function readLine(socket: Duplex): Promise<string> {
  let line = ''
  while (!line.endsWith('\r\n')) {
    if (line.length > 1024) throw invalidArgument('invalid chunked request body')
    line += (await readBytes(socket, 1)).toString('latin1')
  }
  return line
}

async function readBytes(socket: Duplex, length: number): Promise<Buffer> {
  for (;;) {
    const bytes = socket.read(length) as Buffer | null
    if (bytes !== null && bytes.length === length) return bytes
    if (bytes !== null || socket.readableEnded || socket.destroyed) {
      throw invalidArgument('unexpected EOF while reading request body')
    }
    await nextChange(socket)
  }
}

/** Resolves when the socket may have more to read, or has ended. */
function nextChange(socket: Duplex): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const events = ['readable', 'end', 'close'] as const
  for (const event of events) socket.on(event, resolve)
  return promise.finally(() => {
    for (const event of events) socket.off(event, resolve)
  })
}

function skipLastChunk(socket: Duplex): void {
  const bytes = socket.read() as Buffer | null
  if (bytes === null) return
  const rest = bytes.subarray(0, lastChunk.length).equals(lastChunk) ? bytes.subarray(lastChunk.length) : bytes
  if (rest.length > 0) socket.unshift(rest)
}

function answerInChunks(request: IncomingMessage, response: ServerResponse, contentType: string): HijackedConnection {
  response.writeHead(200, { 'Content-Type': contentType })
  response.flushHeaders()
  const input = new SocketInput(request)
  return {
    output: response,
    input,
    // The request is complete, so Node reports the client's end.
    endWithPeer() {},
    finish: () => {
      if (!response.writableEnded) response.end()
      input.destroy()
    },
  }
}

function headerCase(name: string): string {
  return name.replace(/(^|-)([a-z])/g, (_match, dash: string, letter: string) => dash + letter.toUpperCase())
}
