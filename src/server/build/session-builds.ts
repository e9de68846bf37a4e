/** `POST /build?version=2`: builds of clients that open a BuildKit session and do not call BuildKit's services. Files,
 *  secrets and agents come from the session; progress is BuildKit's messages within Docker's stream. */
import type { ServerResponse } from 'node:http'
import { BerthError, conflict, invalidArgument, isKind, messageOf } from '../../base/index.ts'
import type { BuildBackend } from '../../contract/index.ts'
import { formatJsonLine, type Query } from '../../http/index.ts'
import type { Call } from '../answers/route.ts'
import { readSessionRequest } from './session-request.ts'

/** A context that is sent in a separate request, before or after the request of the build. */
interface Upload {
  readonly arrived: PromiseWithResolvers<AsyncIterable<Buffer>>
  readonly taken: PromiseWithResolvers<void>
}

const uploadPrefix = 'upload-request:'

export class SessionBuilds {
  readonly #backend: BuildBackend
  readonly #running: Map<string, AbortController>
  readonly #uploads = new Map<string, Upload>()

  /** `running` has the builds that can be canceled, by id. */
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

  /** The context's archive; undefined if the session has the context. */
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
    // If the build never comes, the upload stays here until its client has gone.
    exchange.signal.addEventListener('abort', () => taken.resolve(), { once: true })
    await taken.promise
    if (!this.#running.has(id)) this.#uploads.delete(id)
    exchange.sendEmpty(200)
  }

  #upload(id: string): Upload {
    const known = this.#uploads.get(id)
    if (known !== undefined) return known
    const fresh = { arrived: Promise.withResolvers<AsyncIterable<Buffer>>(), taken: Promise.withResolvers<void>() }
    // The reader gets the error, if there is a reader.
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

/** The builder's own error, without the gRPC error around it. */
function failure(error: unknown): unknown {
  const { cause } = error as { readonly cause?: unknown }
  return isKind(error, 'cancelled') || cause === undefined ? error : cause
}
