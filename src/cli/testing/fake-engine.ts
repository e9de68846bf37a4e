/** A daemon that answers from a table, to compare what the official CLI and `berth` make of the same answers. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'

/** The answer of a route: a JSON value, or a function that writes it. */
export type FakeAnswer = object | ((request: FakeRequest, response: ServerResponse) => unknown)

/** A request that the fake daemon received. */
export interface FakeRequest {
  readonly method: string
  /** The path without the version prefix and the query. */
  readonly path: string
  readonly query: URLSearchParams
  readonly body: string
  readonly headers: IncomingMessage['headers']
}

/** Handles a hijacked connection. */
export type FakeUpgrade = (request: FakeRequest, socket: Duplex) => void

/** A running fake daemon. */
export interface FakeEngine extends AsyncDisposable {
  readonly socketPath: string
  readonly requests: FakeRequest[]
  close(): Promise<void>
}

/** Listens on a socket in a temporary directory. Routes are `METHOD /path`; unknown ones answer 404. */
export async function startFakeEngine(
  routes: Readonly<Record<string, FakeAnswer>>,
  upgrades: Readonly<Record<string, FakeUpgrade>> = {},
): Promise<FakeEngine> {
  const directory = mkdtempSync(join(tmpdir(), 'bf-'))
  const socketPath = join(directory, 's')
  const requests: FakeRequest[] = []
  const server = createServer((request, response) => {
    void readRequest(request).then((parsed) => {
      requests.push(parsed)
      response.setHeader('Api-Version', '1.51')
      response.setHeader('Ostype', 'linux')
      response.setHeader('Server', 'Berth/0.1.0 (linux)')
      answer(routes, parsed, response)
    })
  })
  server.on('upgrade', (request, socket, head) => {
    void readUpgrade(request, socket, head).then((parsed) => {
      requests.push(parsed)
      const upgrade = upgrades[`${parsed.method} ${parsed.path}`]
      if (upgrade === undefined) {
        socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n')
        return
      }
      socket.write(
        'HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n',
      )
      upgrade(parsed, socket)
    })
  })
  const { promise, resolve } = Promise.withResolvers<void>()
  server.listen(socketPath, resolve)
  await promise
  const close = async (): Promise<void> => {
    server.closeAllConnections()
    server.close()
    rmSync(directory, { recursive: true, force: true })
  }
  return { socketPath, requests, close, [Symbol.asyncDispose]: close }
}

function answer(routes: Readonly<Record<string, FakeAnswer>>, request: FakeRequest, response: ServerResponse): void {
  if (request.path === '/_ping') {
    response.end(request.method === 'HEAD' ? undefined : 'OK')
    return
  }
  const route = routes[`${request.method} ${request.path}`]
  if (route === undefined) sendJson(response, 404, { message: `page not found: ${request.method} ${request.path}` })
  else if (typeof route === 'function') route(request, response)
  else sendJson(response, 200, route)
}

/** Answers with a status and a JSON body. */
export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const body = JSON.stringify(value)
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
  response.end(body)
}

/** One frame of a multiplexed stream: 1 is stdout, 2 stderr. */
export function frame(stream: 1 | 2, text: string): Buffer {
  const header = Buffer.alloc(8)
  header[0] = stream
  header.writeUInt32BE(Buffer.byteLength(text), 4)
  return Buffer.concat([header, Buffer.from(text)])
}

function parseTarget(request: IncomingMessage, body: string): FakeRequest {
  const url = new URL(request.url ?? '/', 'http://fake')
  return {
    method: request.method ?? 'GET',
    path: decodeURIComponent(url.pathname.replace(/^\/v1\.\d+\//, '/')),
    query: url.searchParams,
    body,
    headers: request.headers,
  }
}

async function readRequest(request: IncomingMessage): Promise<FakeRequest> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return parseTarget(request, Buffer.concat(parts).toString('latin1'))
}

/** Reads the body. Bytes that follow it go back to the socket. */
async function readUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<FakeRequest> {
  if (head.length > 0) socket.unshift(head)
  return readRequest(request)
}
