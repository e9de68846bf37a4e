/** A proxy in front of a registry that can slow blobs down and records the requested ranges. */
import { createServer, request, type Server } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

/** Forwards to `target` (`127.0.0.1:PORT`). */
export class SlowProxy implements AsyncDisposable {
  readonly #server: Server
  readonly name: string
  /** Bytes of each blob response that pass at once after a pause of `pauseMs`. */
  chunkBytes = 256 * 1024
  pauseMs = 0
  /** `Range` headers of blob requests, in order; '' if there was none. */
  readonly ranges: string[] = []
  bytesServed = 0
  /** Blob responses of which the client does not have all bytes yet. */
  active = 0

  private constructor(server: Server, name: string) {
    this.#server = server
    this.name = name
  }

  static async start(target: string): Promise<SlowProxy> {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('no address')
    const proxy = new SlowProxy(server, `127.0.0.1:${address.port}`)
    server.on('request', (incoming, response) => {
      const isBlob = incoming.url?.includes('/blobs/') === true && incoming.method === 'GET'
      let isActive = isBlob
      const end = () => {
        if (isActive) proxy.active -= 1
        isActive = false
      }
      if (isBlob) {
        proxy.ranges.push(incoming.headers.range ?? '')
        proxy.active += 1
        response.on('close', end)
      }
      const [host, port] = target.split(':')
      const outgoing = request(
        { host, port, path: incoming.url, method: incoming.method, headers: { ...incoming.headers, host: target } },
        async (answer) => {
          response.writeHead(answer.statusCode ?? 502, answer.headers)
          let left = Number(answer.headers['content-length'])
          try {
            for await (const chunk of answer) {
              proxy.bytesServed += chunk.length
              if (isBlob && proxy.pauseMs > 0) await sleep((proxy.pauseMs * chunk.length) / proxy.chunkBytes)
              left -= chunk.length
              // The client may ask for the next blob as soon as it has the last bytes.
              if (left === 0) end()
              response.write(chunk)
            }
          } catch {
            response.destroy()
          }
          response.end()
        },
      )
      outgoing.on('error', () => response.destroy())
      response.on('close', () => outgoing.destroy())
      incoming.pipe(outgoing)
    })
    return proxy
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }
}
