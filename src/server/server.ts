/** The Engine API: the routes of all nouns, on any number of listeners. */
import { minApiVersion as defaultMinApiVersion, maxApiVersion } from '../api/index.ts'
import { type Logger, notFound } from '../base/index.ts'
import type { Backends } from '../contract/index.ts'
import {
  type Endpoint,
  type Exchange,
  type Listener,
  type ListenOptions,
  listen,
  Query,
  type RequestHandler,
  Router,
} from '../http/index.ts'
import { answerError } from './answers/errors.ts'
import type { Route } from './answers/route.ts'
import { unbuiltRoutes } from './answers/unbuilt-routes.ts'
import { guardFromBrowsers } from './browser-guard.ts'
import { buildkitRoutes } from './build/buildkit-routes.ts'
import { buildRoutes } from './build/routes.ts'
import { containerRoutes } from './containers/routes.ts'
import { execRoutes } from './exec/routes.ts'
import { imageRoutes } from './images/routes.ts'
import { networkRoutes } from './networks/routes.ts'
import { registryRoutes } from './registries/routes.ts'
import { systemRoutes } from './system/routes.ts'
import { checkApiVersion, splitVersionedPath } from './versions/index.ts'
import { volumeRoutes } from './volumes/routes.ts'

/** What a server works with. */
export interface ServerOptions {
  readonly backends: Backends
  readonly logger: Logger
  /** Berth's own version, for the `Server` header. */
  readonly version: string
  /** The oldest API version that is served. */
  readonly minApiVersion?: string
  /** Value of the header `Docker-Experimental`. */
  readonly experimental?: boolean
  /** Called at the end of each request. */
  readonly onAnswered?: () => void
}

/** Options of one endpoint. */
export interface ApiListenOptions extends ListenOptions {
  /** The endpoint is a loopback address at which any program on the host is served: requests that a script in a
   *  browser can send are refused (403). The value is the host that the user named for the endpoint. */
  readonly guardedHost?: string | undefined
}

/** A server of the Engine API. */
export interface ApiServer {
  /** Serves on one more endpoint. Resolves with the endpoint and the port that was chosen; rejects with `conflict` when
   *  the address is in use. */
  listen(endpoint: Endpoint, options?: ApiListenOptions): Promise<Endpoint>
  /** Lets all requests wait until the result is disposed of. */
  hold(): Disposable
  /** Stops listening, waits a moment for open requests, then closes the connections that are left. */
  close(): Promise<void>
}

/** Makes a server that does not listen yet. */
export function createServer(options: ServerOptions): ApiServer {
  const handler = new ApiHandler(allRoutes(options.backends, options.logger), options)
  const listeners: Listener[] = []
  return {
    listen: async (endpoint, { guardedHost, ...listenOptions } = {}) => {
      const guarded = guardedHost === undefined ? handler : guardFromBrowsers(handler, guardedHost, options.logger)
      const listener = await listen(endpoint, guarded, listenOptions)
      listeners.push(listener)
      return listener.endpoint
    },
    hold: () => handler.hold(),
    close: async () => {
      await Promise.all(listeners.splice(0).map((listener) => listener.close()))
    },
  }
}

function allRoutes(backends: Backends, logger: Logger): readonly Route[] {
  return [
    // First, because some of the names below match any path.
    ...unbuiltRoutes,
    ...systemRoutes(backends.system),
    ...containerRoutes(backends.containers, logger),
    ...execRoutes(backends.exec, logger),
    // Before the images, because an image's name could be `search`.
    ...registryRoutes(backends.registries),
    ...imageRoutes(backends.images),
    ...networkRoutes(backends.networks),
    ...volumeRoutes(backends.volumes),
    ...buildRoutes(backends.builds, logger),
    ...buildkitRoutes(backends.builds),
  ]
}

class ApiHandler implements RequestHandler {
  readonly #router = new Router<Route>()
  readonly #logger: Logger
  readonly #serverName: string
  readonly #minApiVersion: string
  readonly #experimental: boolean
  readonly #onAnswered: (() => void) | undefined
  #held: Promise<void> | undefined

  constructor(
    routes: readonly Route[],
    { logger, version, minApiVersion = defaultMinApiVersion, experimental = false, onAnswered }: ServerOptions,
  ) {
    for (const route of routes) this.#router.add(route.method, route.pattern, route)
    this.#logger = logger
    this.#minApiVersion = minApiVersion
    this.#experimental = experimental
    this.#onAnswered = onAnswered
    this.#serverName = `Berth/${version} (linux)`
  }

  takesConnection(method: string, url: string): boolean {
    const { path } = splitVersionedPath(url)
    return this.#router.find(method, path)?.target.takesConnection === true
  }

  hold(): Disposable {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#held = promise
    return {
      [Symbol.dispose]: () => {
        if (this.#held === promise) this.#held = undefined
        resolve()
      },
    }
  }

  async handle(exchange: Exchange): Promise<void> {
    if (this.#held !== undefined) await this.#held
    exchange.setHeader('Api-Version', maxApiVersion)
    exchange.setHeader('Docker-Experimental', String(this.#experimental))
    exchange.setHeader('Ostype', 'linux')
    exchange.setHeader('Server', this.#serverName)
    try {
      await this.#dispatch(exchange)
    } catch (error) {
      answerError(exchange, error, this.#logger)
    } finally {
      this.#onAnswered?.()
    }
  }

  async #dispatch(exchange: Exchange): Promise<void> {
    if (exchange.method === 'OPTIONS') {
      // On any path, as in Docker, which once had browsers as clients.
      exchange.sendEmpty(200, { 'Content-Length': '0' })
      return
    }
    const { version, path, query } = splitVersionedPath(exchange.url)
    const match = this.#router.find(exchange.method, path)
    if (match === undefined) throw notFound('page not found')
    const apiVersion = checkApiVersion(version, this.#minApiVersion)
    const { target, parameters } = match
    await target.handle({ exchange, parameters, query: new Query(query), apiVersion })
  }
}
