/** `POST /build?version=2`: the build of clients that speak BuildKit's protocol and not its services. Files, secrets and
 *  agents are in the session; what goes on is told as BuildKit's messages within Docker's stream. */
import type { ServerResponse } from 'node:http'
import { BerthError, conflict, invalidArgument, isKind, messageOf } from '../../base/index.ts'
import type { BuildBackend } from '../../contract/index.ts'
import { formatJsonLine, type Query } from '../../http/index.ts'
import type { Call } from '../route.ts'
import { readSessionRequest } from './session-request.ts'

/** An archive that comes in a request of its own, for a build that was begun, or is about to be. */
interface Upload {
  readonly arrived: PromiseWithResolvers<AsyncIterable<Buffer>>
  readonly taken: PromiseWithResolvers<void>
}

const uploadPrefix = 'upload-request:'

export class SessionBuilds {
  readonly #backend: BuildBackend
  readonly #running: Map<string, AbortController>
  readonly #uploads = new Map<string, Upload>()

  /** `running`: the builds that can be cancelled, by id. */
  constructor(backend: BuildBackend, running: Map<string, AbortController>) {
    this.#backend = backend
    this.#running = running
  }

  async build(call: Call): Promise<void> {
    const id = call.query.text('buildid')
    if (id.startsWith(uploadPrefix)) return await this.#takeUpload(call, id.slice(uploadPrefix.length))
    const abort = new AbortController()
    if (id !== '' && this.#running.has(id)) throw conflict(`build ${id} is running already`)
    if (id !== '') this.#running.set(id, abort)
    try {
      await this.#run(call, AbortSignal.any([call.exchange.signal, abort.signal]))
    } finally {
      this.#running.delete(id)
      this.#uploads.get(id)?.taken.resolve()
      this.#uploads.delete(id)
    }
  }

  async #run({ exchange, query }: Call, signal: AbortSignal): Promise<void> {
    const request = readSessionRequest(query)
    const archive = this.#archiveOf(query, exchange.body, signal)
    const buildkit = await this.#backend.buildkit()
    let stream: ServerResponse | undefined
    const write = (message: unknown) => {
      stream ??= exchange.openStream(200, 'application/json')
      if (!stream.destroyed) stream.write(formatJsonLine(message))
    }
    try {
      const { images } = await buildkit.build({
        ...request,
        ...(archive === undefined ? {} : { archive }),
        signal,
        onTrace: (message) => write({ id: 'moby.buildkit.trace', aux: Buffer.from(message).toString('base64') }),
      })
      for (const image of images) write({ id: 'moby.image.id', aux: { ID: image } })
      stream ??= exchange.openStream(200, 'application/json')
      stream.end()
    } catch (error) {
      if (stream === undefined || stream.destroyed) throw failure(error)
      const message = messageOf(error)
      stream.end(formatJsonLine({ errorDetail: { message }, error: message }))
    }
  }

  /** Where the context is, when it isn't in the session. */
  #archiveOf(
    query: Query,
    body: AsyncIterable<Buffer>,
    signal: AbortSignal,
  ): (() => AsyncIterable<Buffer>) | undefined {
    const remote = query.text('remote')
    if (remote === '') return () => body
    if (remote !== 'upload-request') return undefined
    const id = query.text('buildid')
    if (id === '') throw invalidArgument('an upload needs a buildid')
    const { arrived, taken } = this.#upload(id)
    signal.addEventListener('abort', () => arrived.reject(new BerthError('cancelled', 'context canceled')), {
      once: true,
    })
    return () => passed(arrived.promise, taken)
  }

  async #takeUpload({ exchange }: Call, id: string): Promise<void> {
    if (id === '') throw invalidArgument('an upload needs a buildid')
    const { arrived, taken } = this.#upload(id)
    arrived.resolve(exchange.body)
    // A build that never comes leaves its upload here until the client goes.
    exchange.signal.addEventListener('abort', () => taken.resolve(), { once: true })
    await taken.promise
    if (!this.#running.has(id)) this.#uploads.delete(id)
    exchange.sendEmpty(200)
  }

  #upload(id: string): Upload {
    const known = this.#uploads.get(id)
    if (known !== undefined) return known
    const fresh = { arrived: Promise.withResolvers<AsyncIterable<Buffer>>(), taken: Promise.withResolvers<void>() }
    // Told to the reader, if there is one.
    fresh.arrived.promise.catch(() => {})
    this.#uploads.set(id, fresh)
    return fresh
  }
}

async function* passed(arrived: Promise<AsyncIterable<Buffer>>, taken: Upload['taken']): AsyncGenerator<Buffer> {
  try {
    yield* await arrived
  } finally {
    taken.resolve()
  }
}

/** Errors of gRPC are as the builder told them. */
function failure(error: unknown): unknown {
  const { cause } = error as { readonly cause?: unknown }
  return isKind(error, 'cancelled') || cause === undefined ? error : cause
}
