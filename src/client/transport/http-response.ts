/** Reads one HTTP/1.1 response from a socket. https://www.rfc-editor.org/rfc/rfc9112 sections 4 to 7.
 *
 *  This is Berth's own code because every `berth` command would pay for `node:http`. Median processor times of a whole
 *  command, 150 runs each in turn, Node 26.10 (the shortest wall-clock times differ by as much):
 *
 *      | client                                        | version | ps      | run --rm hello |
 *      |-----------------------------------------------|---------|---------|----------------|
 *      | this one                                      | 55.1 ms | 56.4 ms | 57.3 ms        |
 *      | http.request() on a connection that is given  | 60.3 ms | 62.7 ms | 64.1 ms        |
 *      | http.request() with an http.Agent             | 66.7 ms | 69.5 ms | 70.2 ms        |
 */
import type { Socket } from 'node:net'
import { BerthError } from '../../base/index.ts'

const maxHeadBytes = 256 * 1024
const endOfHead = Buffer.from('\r\n\r\n')

/** The status line, the headers (names in lower case), and the bytes that were read behind them. */
export interface ResponseHead {
  readonly status: number
  readonly statusText: string
  readonly headers: ReadonlyMap<string, string>
  readonly rest: Buffer
}

/** Reads the head, and leaves the socket paused behind it. Throws `unavailable` when the connection ends earlier. */
export async function readHead(socket: Socket): Promise<ResponseHead> {
  let received: Buffer = Buffer.alloc(0)
  for (;;) {
    const chunk = await nextChunk(socket)
    if (chunk === undefined) throw closedEarly(received.length === 0)
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
    for (;;) {
      const end = received.indexOf(endOfHead)
      if (end === -1) break
      const head = parseHead(received.toString('latin1', 0, end), received.subarray(end + endOfHead.length))
      // Interim answers (100 Continue, 103 Early Hints) precede the final one.
      if (head.status === 101 || head.status >= 200) return head
      received = head.rest
    }
    if (received.length > maxHeadBytes) throw malformed('headers are too long')
  }
}

/** The next bytes of a paused socket; undefined when it has ended or broken. */
export function nextChunk(socket: Socket): Promise<Buffer | undefined> {
  const chunk = socket.read() as Buffer | null
  if (chunk !== null) return Promise.resolve(chunk)
  if (socket.readableEnded || socket.destroyed) return Promise.resolve(undefined)
  return new Promise((resolve) => {
    const finish = (): void => {
      const data = socket.read() as Buffer | null
      if (data === null && !socket.readableEnded && !socket.destroyed) return
      socket.off('readable', finish)
      socket.off('end', finish)
      socket.off('close', finish)
      resolve(data ?? undefined)
    }
    socket.on('readable', finish)
    socket.on('end', finish)
    socket.on('close', finish)
  })
}

function parseHead(text: string, rest: Buffer): ResponseHead {
  const lines = text.split('\r\n')
  const match = /^HTTP\/1\.[01] (\d{3})(?: (.*))?$/.exec(lines[0] ?? '')
  if (match === null) throw malformed('the answer is not HTTP')
  const headers = new Map<string, string>()
  for (const line of lines.slice(1)) {
    const colon = line.indexOf(':')
    if (colon > 0) headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim())
  }
  return { status: Number(match[1]), statusText: match[2] ?? '', headers, rest }
}

function closedEarly(nothingReceived: boolean): BerthError {
  return new BerthError('unavailable', 'the daemon closed the connection before it answered', {
    details: { nothingReceived },
  })
}

function malformed(what: string): BerthError {
  return new BerthError('dataLoss', `malformed response from daemon: ${what}`)
}

/** The body of a response, as it arrives. `onComplete` runs once, when the body was read to its end and the
 *  connection can carry another request. Throws `dataLoss` when the connection breaks before that. */
export async function* readBody(
  socket: Socket,
  head: ResponseHead,
  onComplete: (reusable: boolean) => void,
): AsyncGenerator<Buffer, void, void> {
  const reusable = head.headers.get('connection')?.toLowerCase() !== 'close'
  if (head.headers.get('transfer-encoding')?.toLowerCase().includes('chunked') === true) {
    yield* readChunked(socket, head.rest)
    onComplete(reusable)
    return
  }
  const length = head.headers.get('content-length')
  if (length !== undefined) {
    yield* readCounted(socket, head.rest, Number(length))
    onComplete(reusable)
    return
  }
  if (head.rest.length > 0) yield head.rest
  for (let chunk = await nextChunk(socket); chunk !== undefined; chunk = await nextChunk(socket)) yield chunk
  onComplete(false)
}

async function* readCounted(socket: Socket, rest: Buffer, length: number): AsyncGenerator<Buffer, void, void> {
  let left = length
  let chunk: Buffer | undefined = rest
  for (;;) {
    const part = chunk.length > left ? chunk.subarray(0, left) : chunk
    left -= part.length
    if (part.length > 0) yield part
    if (left <= 0) return
    chunk = await nextChunk(socket)
    if (chunk === undefined) throw brokenBody()
  }
}

async function* readChunked(socket: Socket, rest: Buffer): AsyncGenerator<Buffer, void, void> {
  const decoder = new ChunkedDecoder()
  let chunk: Buffer | undefined = rest
  for (;;) {
    const parts = decoder.decode(chunk)
    // One buffer for each read, however many small chunks the server wrote.
    if (parts.length === 1) yield parts[0] as Buffer
    else if (parts.length > 1) yield Buffer.concat(parts)
    if (decoder.done) return
    chunk = await nextChunk(socket)
    if (chunk === undefined) throw brokenBody()
  }
}

function brokenBody(): BerthError {
  return new BerthError('dataLoss', 'the daemon closed the connection in the middle of its answer')
}

/** Decodes `Transfer-Encoding: chunked`. Trailers are dropped. */
class ChunkedDecoder {
  #state: 'size' | 'data' | 'data-end' | 'trailer' | 'done' = 'size'
  #line = ''
  #left = 0

  get done(): boolean {
    return this.#state === 'done'
  }

  /** The data in these bytes. */
  decode(input: Buffer): Buffer[] {
    const parts: Buffer[] = []
    let offset = 0
    while (offset < input.length && this.#state !== 'done') {
      if (this.#state === 'data') {
        const end = Math.min(input.length, offset + this.#left)
        parts.push(input.subarray(offset, end))
        this.#left -= end - offset
        offset = end
        if (this.#left === 0) this.#state = 'data-end'
        continue
      }
      const newline = input.indexOf(10, offset)
      const end = newline === -1 ? input.length : newline
      this.#line += input.toString('latin1', offset, end)
      offset = end + 1
      if (newline !== -1) this.#endLine()
    }
    return parts
  }

  #endLine(): void {
    const line = this.#line.trimEnd()
    this.#line = ''
    if (this.#state === 'data-end') this.#state = 'size'
    else if (this.#state === 'trailer') this.#state = line === '' ? 'done' : 'trailer'
    else {
      this.#left = Number.parseInt(line, 16)
      if (!/^[0-9a-f]+/i.test(line)) throw malformed('bad chunk size')
      this.#state = this.#left === 0 ? 'trailer' : 'data'
    }
  }
}
