/** A proxy in front of a daemon's socket that counts what clients send. */
import { connect, createServer, type Server, type Socket } from 'node:net'

export class CountingProxy implements AsyncDisposable {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly host: string
  #sentBytes = 0

  private constructor(server: Server, path: string) {
    this.#server = server
    this.host = `unix://${path}`
  }

  /** Listens at `path`, which must not exist, and forwards to the socket `target`. */
  static async start(path: string, target: string): Promise<CountingProxy> {
    const server = createServer({ allowHalfOpen: true })
    const proxy = new CountingProxy(server, path)
    server.on('connection', (client) => {
      const daemon = connect({ path: target, allowHalfOpen: true })
      for (const [from, to] of [
        [client, daemon],
        [daemon, client],
      ] as const) {
        proxy.#sockets.add(from)
        from.on('error', () => to.destroy())
        from.on('close', () => proxy.#sockets.delete(from))
        from.pipe(to)
      }
      client.on('data', (chunk: Buffer) => {
        proxy.#sentBytes += chunk.length
      })
    })
    await new Promise<void>((resolve) => server.listen(path, resolve))
    return proxy
  }

  /** The number of bytes that clients sent since the last call. */
  takeSentBytes(): number {
    const sent = this.#sentBytes
    this.#sentBytes = 0
    return sent
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }
}
