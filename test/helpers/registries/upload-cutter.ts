/** A proxy in front of a registry that breaks connections in the middle of uploads, and counts what clients send. */
import { connect, createServer, type Server, type Socket } from 'node:net'

export class UploadCutter implements AsyncDisposable {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  /** After how many bytes from clients a connection breaks: the next number each time; after the last one, never. */
  cutAfter: number[] = []
  cuts = 0
  /** Bytes from clients that were passed on to the registry. */
  uploadedBytes = 0

  private constructor(server: Server) {
    this.#server = server
  }

  /** Forwards to `target` (`127.0.0.1:PORT`). */
  static async start(target: string): Promise<UploadCutter> {
    const server = createServer()
    const cutter = new UploadCutter(server)
    const [host = '', port = ''] = target.split(':')
    let sinceCut = 0
    server.on('connection', (client) => {
      const upstream = connect(Number(port), host)
      for (const [from, to] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        cutter.#sockets.add(from)
        from.on('error', () => to.destroy())
        from.on('close', () => {
          cutter.#sockets.delete(from)
          to.end()
        })
      }
      upstream.pipe(client)
      client.on('data', (chunk: Buffer) => {
        cutter.uploadedBytes += chunk.length
        sinceCut += chunk.length
        const limit = cutter.cutAfter[0]
        if (limit !== undefined && sinceCut >= limit) {
          sinceCut = 0
          cutter.cutAfter.shift()
          cutter.cuts += 1
          // The registry gets the bytes so far; the client gets a reset.
          upstream.end(chunk)
          client.resetAndDestroy()
          return
        }
        if (!upstream.write(chunk)) {
          client.pause()
          upstream.once('drain', () => client.resume())
        }
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return cutter
  }

  get name(): string {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('no address')
    return `127.0.0.1:${address.port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }
}
