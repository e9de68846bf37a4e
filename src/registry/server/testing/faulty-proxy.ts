/** A proxy in front of a registry, for tests. It fails on request and records all requests. */
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'

/** How a request fails. */
export type Fault =
  /** Cut the connection at once. */
  | 'reset'
  /** Give this answer without asking the registry. */
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  /** Change one byte of the body. */
  | 'corrupt'
  /** Cut the connection after this many bytes of the body. */
  | { readonly cutAfter: number }
  /** Stop after the first bytes of the body until this resolves. */
  | { readonly holdFor: Promise<unknown> }
  | undefined

export class FaultyProxy implements AsyncDisposable {
  readonly #server: Server
  readonly #target: string
  /** `METHOD path` of every request. */
  readonly requests: string[] = []
  readonly headers: IncomingMessage['headers'][] = []
  fault: (method: string, path: string) => Fault = () => undefined

  private constructor(server: Server, target: string) {
    this.#server = server
    this.#target = target
  }

  /** Forwards to `target` (`127.0.0.1:PORT`). */
  static async start(target: string): Promise<FaultyProxy> {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const proxy = new FaultyProxy(server, target)
    server.on('request', (incoming, response) => proxy.#serve(incoming, response))
    return proxy
  }

  /** `127.0.0.1:PORT`. */
  get name(): string {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('no address')
    return `127.0.0.1:${address.port}`
  }

  /** Number of requests whose `METHOD path` matches. */
  count(pattern: RegExp): number {
    return this.requests.filter((line) => pattern.test(line)).length
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  #serve(incoming: IncomingMessage, response: ServerResponse): void {
    const { method = '', url = '' } = incoming
    this.requests.push(`${method} ${url}`)
    this.headers.push(incoming.headers)
    const fault = this.fault(method, url)
    if (fault === 'reset') return void incoming.socket.destroy()
    if (typeof fault === 'object' && 'status' in fault) {
      return void response.writeHead(fault.status, fault.headers).end()
    }
    const [host, port] = this.#target.split(':')
    const headers = { ...incoming.headers, host: this.#target }
    const outgoing = request({ host, port, path: url, method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      void send(answer, response, fault)
    })
    outgoing.on('error', () => response.destroy())
    response.on('close', () => outgoing.destroy())
    incoming.pipe(outgoing)
  }
}

async function send(answer: IncomingMessage, response: ServerResponse, fault: Fault): Promise<void> {
  let sent = 0
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      if (fault === 'corrupt' && sent === 0) chunk.writeUInt8(chunk.readUInt8(0) ^ 1)
      if (typeof fault === 'object' && 'cutAfter' in fault && sent + chunk.length > fault.cutAfter) {
        response.write(chunk.subarray(0, fault.cutAfter - sent), () => response.destroy())
        return
      }
      sent += chunk.length
      response.write(chunk)
      if (typeof fault === 'object' && 'holdFor' in fault) await fault.holdFor
    }
  } catch {
    response.destroy()
  }
  response.end()
}
