/** A proxy in front of a registry that interrupts transfers of blobs at chosen bytes, and records every byte that it
 *  passed on. It sends a piece only after the client has read the previous one, so little data is in transit at a
 *  cut. */
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** Bytes of a blob that were sent in one answer. */
export interface PassedRange {
  readonly digest: string
  readonly start: number
  end: number
}

const pieceBytes = 32 * 1024

export class CuttingProxy implements AsyncDisposable {
  readonly #server: Server
  readonly #target: string
  readonly passed: PassedRange[] = []
  /** Answers with a blob that are still being sent. */
  open = 0
  /** Called at the start of each answer: after how many bytes it is cut, and how. Undefined: never. */
  nextCut: () => { readonly afterBytes: number; cut(client: Socket): void } | undefined = () => undefined

  private constructor(target: string) {
    this.#target = target
    this.#server = createServer((incoming, outgoing) => {
      void this.#pass(incoming, outgoing).catch(() => outgoing.destroy())
    })
  }

  /** Forwards to `target` (`127.0.0.1:PORT`). */
  static async start(target: string): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(target)
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get name(): string {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('no address')
    return `127.0.0.1:${address.port}`
  }

  async #pass(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const answer = await this.#ask(incoming)
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
    const digest = /\/blobs\/(sha256:[0-9a-f]+)$/.exec(incoming.url ?? '')?.[1]
    if (digest === undefined || incoming.method !== 'GET') return void answer.pipe(outgoing)
    const start = Number(/^bytes (\d+)-/.exec(answer.headers['content-range'] ?? '')?.[1] ?? 0)
    const range = { digest, start, end: start }
    this.passed.push(range)
    this.open += 1
    outgoing.on('close', () => {
      this.open -= 1
    })
    const cut = this.nextCut()
    let left = cut?.afterBytes ?? Number.POSITIVE_INFINITY
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      for (let at = 0; at < chunk.length; at += pieceBytes) {
        const piece = chunk.subarray(at, Math.min(at + pieceBytes, at + left))
        await send(outgoing, piece)
        range.end += piece.length
        left -= piece.length
        if (left > 0) continue
        if (outgoing.socket !== null) cut?.cut(outgoing.socket)
        answer.destroy()
        return
      }
    }
    outgoing.end()
  }

  #ask(incoming: IncomingMessage): Promise<IncomingMessage> {
    const [host, port] = this.#target.split(':')
    const headers = { ...incoming.headers, host: this.#target }
    return new Promise((resolve, reject) => {
      const outgoing = request(
        { host, port, path: incoming.url, method: incoming.method, headers, agent: false },
        resolve,
      )
      outgoing.on('error', reject)
      incoming.pipe(outgoing)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }
}

/** Sends a piece and waits until the client has read it. */
async function send(outgoing: ServerResponse, piece: Buffer): Promise<void> {
  await new Promise<void>((resolve, reject) => outgoing.write(piece, (error) => (error ? reject(error) : resolve())))
  const { socket } = outgoing
  while (socket !== null && !socket.destroyed && unreadBytes(socket) > 0) await sleep(1)
  if (outgoing.destroyed || socket?.destroyed !== false) throw new Error('the client is gone')
}

/** The bytes that the other end of a loopback connection has not read yet, and those still in transit to it.
 *  https://www.kernel.org/doc/html/latest/networking/proc_net_tcp.html */
function unreadBytes({ localPort, remotePort }: Socket): number {
  const here = portText(localPort)
  const there = portText(remotePort)
  let bytes = 0
  for (const line of readFileSync('/proc/net/tcp', 'utf8').split('\n')) {
    const [, local = '', remote = '', , queues = ''] = line.trim().split(/\s+/)
    const [sending = '0', receiving = '0'] = queues.split(':')
    if (local.endsWith(here) && remote.endsWith(there)) bytes += Number.parseInt(sending, 16)
    if (local.endsWith(there) && remote.endsWith(here)) bytes += Number.parseInt(receiving, 16)
  }
  return bytes
}

function portText(port = 0): string {
  return `:${port.toString(16).toUpperCase().padStart(4, '0')}`
}
