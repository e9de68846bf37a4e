/** Backends for route tests. A method that the test does not provide rejects when it is called. */
import { mkdtemp, rm } from 'node:fs/promises'
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { internal, type Logger, nullLogger } from '../../base/index.ts'
import type { Backends } from '../../contract/index.ts'
import { createServer } from '../server.ts'

/** The methods that a test expects to be called. */
export type PartialBackends = { readonly [K in keyof Backends]?: Partial<Backends[K]> }

/** A server on a temporary socket. */
export interface TestApi extends AsyncDisposable {
  readonly socketPath: string
  /** The socket as `docker -H` takes it: `unix://…`. */
  readonly host: string
  request(method: string, path: string, options?: TestRequest): Promise<TestAnswer>
}

export interface TestRequest {
  readonly json?: unknown
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface TestAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** Parses the body as JSON. */
  json(): unknown
}

/** Starts a server with these methods as its engine. */
export async function startTestApi(backends: PartialBackends, logger: Logger = nullLogger): Promise<TestApi> {
  const directory = await mkdtemp(join(tmpdir(), 'bs-'))
  const socketPath = join(directory, 's')
  const server = createServer({ backends: completeBackends(backends), logger, version: '1.2.3' })
  await server.listen({ kind: 'unix', path: socketPath })
  return {
    socketPath,
    host: `unix://${socketPath}`,
    request: (method, path, options) => sendRequest(socketPath, method, path, options),
    [Symbol.asyncDispose]: async () => {
      await server.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

function completeBackends(given: PartialBackends): Backends {
  const names = ['containers', 'exec', 'images', 'system', 'networks', 'volumes', 'registries', 'builds'] as const
  return Object.fromEntries(
    names.map((name) => [
      name,
      unexpectedBeside(name, name === 'system' ? { greet() {}, ...given.system } : (given[name] ?? {})),
    ]),
  ) as unknown as Backends
}

/** Any method that was not given rejects when it is called. */
function unexpectedBeside(owner: string, given: object): object {
  return new Proxy(given, {
    get: (target, name) => {
      if (name in target) return Reflect.get(target, name)
      return () => Promise.reject(internal(`unexpected call of ${owner}.${String(name)}`))
    },
  })
}

function sendRequest(socketPath: string, method: string, path: string, options: TestRequest = {}): Promise<TestAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<TestAnswer>()
  const text = options.json === undefined ? options.body : JSON.stringify(options.json)
  const headers: Record<string, string> = { Connection: 'close', ...options.headers }
  if (text !== undefined) headers['Content-Length'] = String(Buffer.byteLength(text))
  if (options.json !== undefined) headers['Content-Type'] ??= 'application/json'
  const request = httpRequest({ socketPath, method, path, headers }, (response) => {
    const chunks: Buffer[] = []
    response.on('data', (chunk: Buffer) => chunks.push(chunk))
    response.on('error', reject)
    response.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8')
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        body,
        json: () => JSON.parse(body) as unknown,
      })
    })
  })
  request.on('error', reject)
  request.end(text)
  return promise
}
