/** Handles a request from beginning to end: extensions, the path, rights, the route, errors, and the report to
 *  observers. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { answerError } from '../http/answer-error.ts'
import { answerExtension } from '../http/answer-extension.ts'
import { authorizeRequest, type Permission } from '../http/authorize-request.ts'
import type { RequestArrival } from '../http/incoming-body.ts'
import { RegistryExchange } from '../http/registry-exchange.ts'
import { pathOf } from '../http/request-head.ts'
import { parseTarget, type RequestTarget } from '../http/request-target.ts'
import type { RouteContext } from '../http/route-context.ts'
import { RegistryError } from '../model/registry-error.ts'
import type { RegistryExtension } from '../model/registry-extension.ts'
import type { RouteName } from '../model/registry-observer.ts'
import { deleteBlob, getBlob } from './blob-routes.ts'
import { getCatalog, getReferrers, getTags } from './list-routes.ts'
import { deleteManifest, getManifest, putManifest } from './manifest-routes.ts'
import { cancelUpload, finishUpload, getUpload, patchUpload, startUpload } from './upload-routes.ts'

export interface HandlerOptions {
  readonly context: RouteContext
  readonly extensions: readonly RegistryExtension[]
  readonly headers: Readonly<Record<string, string>>
  readonly isReadOnly: boolean
  readonly deleteEnabled: boolean
}

export class RegistryHandler {
  readonly #options: HandlerOptions
  readonly #extensions: ReadonlyMap<string, RegistryExtension>

  constructor(options: HandlerOptions) {
    this.#options = options
    this.#extensions = new Map(options.extensions.flatMap((one) => one.paths.map((path) => [path, one] as const)))
  }

  /** True for requests whose body may stay in the connection: `handle` lets the storage read it there. */
  takesSocketBody({ method = '', url = '' }: IncomingMessage): boolean {
    if (this.#options.context.uploads.receive === undefined) return false
    if (!['POST', 'PATCH', 'PUT'].includes(method)) return false
    const path = pathOf(url)
    const kind = this.#extensions.has(path) ? undefined : parseTarget(path)?.kind
    return kind === 'upload' || kind === 'upload-start'
  }

  /** Answers a request. Never rejects. */
  async handle(request: IncomingMessage, response: ServerResponse, arrival: RequestArrival): Promise<void> {
    const { context, headers } = this.#options
    const exchange = new RegistryExchange(request, response, context.limits, arrival)
    const extension = this.#extensions.get(exchange.request.path)
    const target = extension === undefined ? parseTarget(exchange.request.path) : undefined
    this.#observe(exchange, extension === undefined ? routeNameOf(target) : 'extension', target)
    response.setHeader('Docker-Distribution-Api-Version', 'registry/2.0')
    response.setHeader('X-Content-Type-Options', 'nosniff')
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
    try {
      if (extension !== undefined) await answerExtension(exchange, extension)
      else await this.#route(exchange, target)
    } catch (error) {
      answerError(exchange, error, context.logger)
    }
  }

  async #route(exchange: RegistryExchange, target: RequestTarget | undefined): Promise<void> {
    if (target === undefined) throw new RegistryError('UNSUPPORTED', { status: 404, message: 'no such endpoint' })
    if (target.kind === 'bad-name') throw new RegistryError('NAME_INVALID', { detail: { name: target.repository } })
    const methods = methodsOf(target)
    const run = methods[exchange.request.method]
    if (run === undefined) {
      throw new RegistryError('UNSUPPORTED', { headers: { Allow: Object.keys(methods).join(', ') } })
    }
    const permission = await authorizeRequest(this.#options.context, exchange, target)
    this.#checkEnabled(exchange.request.method)
    // A mirror of another registry must not answer with its own image of the same name.
    const namespace = exchange.request.query.optional('ns')
    if (namespace !== undefined && this.#options.context.source.serves?.(namespace) === false) {
      throw new RegistryError('NAME_UNKNOWN', { message: 'not a mirror of that registry', detail: { ns: namespace } })
    }
    await run(this.#options.context, exchange, permission)
  }

  #checkEnabled(method: string): void {
    if (method === 'GET' || method === 'HEAD') return
    if (this.#options.isReadOnly) throw new RegistryError('UNSUPPORTED', { message: 'the registry is read-only' })
    if (!this.#options.context.source.acceptsPush) {
      throw new RegistryError('UNSUPPORTED', { message: 'the registry is a cache and takes no pushes' })
    }
    if (method === 'DELETE' && !this.#options.deleteEnabled) {
      throw new RegistryError('UNSUPPORTED', { message: 'deleting is disabled' })
    }
  }

  #observe(exchange: RegistryExchange, route: RouteName, target: RequestTarget | undefined): void {
    const { observer } = this.#options.context
    const { request, body, answer } = exchange
    const { response } = answer
    const began = performance.now()
    // Read now: after the connection is closed, the address is unknown.
    const { remoteAddress } = request
    observer.requestStarted?.()
    response.once('close', () => {
      observer.requestFinished?.({
        method: request.method,
        route,
        path: request.path,
        repository: target !== undefined && 'repository' in target ? target.repository : undefined,
        status: response.headersSent ? response.statusCode : clientGoneStatus,
        errorCode: exchange.errorCode,
        startedAt: exchange.startedAt,
        durationMs: performance.now() - began,
        receivedBytes: body.receivedBytes,
        sentBytes: answer.sentBytes,
        user: exchange.user,
        remoteAddress,
        userAgent: request.headers['user-agent'] ?? '',
        httpVersion: request.httpVersion,
      })
    })
  }
}

/** Logged for requests whose client left before the answer. Never sent. */
const clientGoneStatus = 499

type Route = (context: RouteContext, exchange: RegistryExchange, permission: Permission) => Promise<void>
type Methods = Readonly<Partial<Record<string, Route>>>

function methodsOf(target: Exclude<RequestTarget, { kind: 'bad-name' }>): Methods {
  switch (target.kind) {
    case 'base':
      return readable(async (_, exchange) => exchange.answer.sendJson(200, {}))
    case 'catalog':
      return readable(getCatalog)
    case 'tags':
      return readable((context, exchange) => getTags(context, exchange, target.repository))
    case 'referrers':
      return readable((context, exchange) => getReferrers(context, exchange, target.repository, target.digest))
    case 'manifest':
      return {
        ...readable((context, exchange) => getManifest(context, exchange, target.repository, target.reference)),
        PUT: (context, exchange) => putManifest(context, exchange, target.repository, target.reference),
        DELETE: (context, exchange) => deleteManifest(context, exchange, target.repository, target.reference),
      }
    case 'blob':
      return {
        ...readable((context, exchange) => getBlob(context, exchange, target.repository, target.digest)),
        DELETE: (context, exchange) => deleteBlob(context, exchange, target.repository, target.digest),
      }
    case 'upload-start':
      return { POST: (context, exchange) => startUpload(context, exchange, target.repository) }
    case 'upload':
      return {
        ...readable((context, exchange) => getUpload(context, exchange, target.repository, target.id)),
        PATCH: (context, exchange) => patchUpload(context, exchange, target.repository, target.id),
        PUT: (context, exchange) => finishUpload(context, exchange, target.repository, target.id),
        DELETE: (context, exchange) => cancelUpload(context, exchange, target.repository, target.id),
      }
    default:
      return target satisfies never
  }
}

function readable(route: Route): Methods {
  return { GET: route, HEAD: route }
}

function routeNameOf(target: RequestTarget | undefined): RouteName {
  return target === undefined || target.kind === 'bad-name' ? 'other' : target.kind
}
