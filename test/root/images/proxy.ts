/** An HTTP proxy in front of a registry that counts, slows down and breaks the transfer of blobs. */
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export interface SeenBlob {
  readonly path: string
  readonly range: string | undefined
  bytes: number
}

export class SlowProxy implements AsyncDisposable {
  readonly #server: Server
  readonly blobs: SeenBlob[] = []
  /** Pause after each chunk of a blob. */
  delayMs = 0
  /** Cuts the connection of every blob after this many bytes. */
  breakAfter = Number.POSITIVE_INFINITY
  /** Changes the bytes of blobs. */
  corrupt = false

  private constructor(target: string) {
    this.#server = createServer((incoming, outgoing) => {
      const url = new URL(incoming.url ?? '/', `http://${target}`)
      const upstream = request(url, {
        method: incoming.method ?? 'GET',
        headers: { ...incoming.headers, host: target },
      })
      upstream.on('response', (answer) => {
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers)
        const isBlob = url.pathname.includes('/blobs/')
        const seen: SeenBlob = { path: url.pathname, range: incoming.headers.range, bytes: 0 }
        if (isBlob) this.blobs.push(seen)
        void this.#copy(answer, outgoing, isBlob ? seen : undefined).catch(() => outgoing.destroy())
      })
      upstream.on('error', () => outgoing.destroy())
      outgoing.on('close', () => upstream.destroy())
      incoming.pipe(upstream)
    })
  }

  static async start(target: string): Promise<SlowProxy> {
    const proxy = new SlowProxy(target)
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get name(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async #copy(
    answer: AsyncIterable<Buffer>,
    outgoing: NodeJS.WritableStream & { destroy(): void },
    seen: SeenBlob | undefined,
  ): Promise<void> {
    for await (const chunk of answer) {
      if (seen === undefined) {
        outgoing.write(chunk)
        continue
      }
      seen.bytes += chunk.length
      if (this.corrupt && seen.bytes > 2000) chunk.writeUInt8(chunk.readUInt8(0) ^ 1, 0)
      await new Promise((resolve) => outgoing.write(chunk, resolve))
      if (seen.bytes > this.breakAfter) return outgoing.destroy()
      if (this.delayMs > 0) await sleep(this.delayMs)
    }
    outgoing.end()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
