/** A forward proxy (RFC 9110: absolute URLs and CONNECT) that connects every host of a test to loopback. */
import { createServer, request, type Server } from 'node:http'
import { connect } from 'node:net'

export class HttpProxy implements AsyncDisposable {
  readonly #server: Server
  /** Ports on 127.0.0.1, by `host:port`. Other hosts are mapped to the requested port. */
  readonly routes = new Map<string, number>()
  /** `CONNECT host:port` or `GET http://…`, in order. */
  readonly requests: string[] = []
  /** The bytes that clients sent through tunnels; clients reuse connections. */
  tunnelBytes = 0
  /** The required user and password. */
  credentials = ''

  private constructor() {
    this.#server = createServer((incoming, outgoing) => {
      const url = new URL(incoming.url ?? '')
      if (!this.#admits(incoming.headers['proxy-authorization'])) return void outgoing.writeHead(407).end()
      this.requests.push(`${incoming.method} ${url}`)
      const upstream = request({
        host: '127.0.0.1',
        port: this.#portOf(url.port === '' ? `${url.host}:80` : url.host),
        path: url.pathname + url.search,
        method: incoming.method ?? 'GET',
        headers: { ...incoming.headers, host: url.host },
      })
      upstream.on('response', (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(outgoing)
      })
      upstream.on('error', () => outgoing.destroy())
      incoming.pipe(upstream)
    })
    this.#server.on('connect', (incoming, client) => {
      client.on('error', () => {})
      if (!this.#admits(incoming.headers['proxy-authorization'])) {
        client.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n')
        return
      }
      this.requests.push(`CONNECT ${incoming.url}`)
      const upstream = connect(this.#portOf(incoming.url ?? ''), '127.0.0.1', () => {
        client.write('HTTP/1.1 200 Connection established\r\n\r\n')
        upstream.pipe(client)
        client.pipe(upstream)
        client.on('data', (chunk: Buffer) => {
          this.tunnelBytes += chunk.length
        })
      })
      upstream.on('error', () => client.destroy())
      client.on('close', () => upstream.destroy())
    })
  }

  static async start(): Promise<HttpProxy> {
    const proxy = new HttpProxy()
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  /** The address with the required credentials. */
  get url(): string {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('no address')
    return `http://${this.credentials === '' ? '' : `${this.credentials}@`}127.0.0.1:${address.port}`
  }

  #admits(shown: string | undefined): boolean {
    return this.credentials === '' || shown === `Basic ${Buffer.from(this.credentials).toString('base64')}`
  }

  #portOf(host: string): number {
    return this.routes.get(host) ?? Number(host.split(':').at(-1))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
  }
}
