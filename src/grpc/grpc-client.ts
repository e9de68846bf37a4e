/** The client side of gRPC over an existing connection. */
import { type ClientHttp2Session, type ClientHttp2Stream, connect, type IncomingHttpHeaders } from 'node:http2'
import type { Duplex } from 'node:stream'
import { create, type DescMessage, type DescMethod, type MessageInitShape, type MessageShape } from '@bufbuild/protobuf'
import { connectionSettings, connectionWindowBytes } from './connection-settings.ts'
import { GrpcError, grpcCode } from './grpc-error.ts'
import { frameMessage, readMessages } from './messages.ts'
import { errorOfTrailers } from './status-trailers.ts'

/** A method with the types of its messages. */
export type Method<Input extends DescMessage, Output extends DescMessage> = DescMethod & {
  readonly input: Input
  readonly output: Output
}

/** What may accompany a call. */
export interface CallOptions {
  /** Names in lower case. Several values become several headers. */
  readonly metadata?: Readonly<Record<string, string | readonly string[]>>
  readonly signal?: AbortSignal | undefined
}

/** A call in progress, with messages in both directions. */
export interface OpenCall<Input extends DescMessage, Output extends DescMessage> {
  /** Resolves when the connection can take more. Throws `GrpcError` when the call has ended. */
  send(message: MessageInitShape<Input>): Promise<void>
  /** Tells the server that no more messages follow. */
  end(): void
  /** The server's messages. Iterating throws `GrpcError` when the call fails. */
  readonly messages: AsyncIterable<MessageShape<Output>>
  /** Ends the call from this side. */
  cancel(): void
}

const http2Cancel = 8

/** Calls gRPC methods on one connection. https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
export class GrpcClient {
  readonly #session: ClientHttp2Session
  readonly #closed: Promise<void>

  /** Takes over `connection`: no other code may read from or write to it. */
  constructor(connection: Duplex) {
    const session = connect('http://session.invalid', {
      createConnection: () => connection,
      settings: connectionSettings,
    })
    this.#session = session
    session.on('connect', () => session.setLocalWindowSize(connectionWindowBytes))
    // Every open call learns of the failure from its own stream.
    session.on('error', () => {})
    this.#closed = new Promise((resolve) => session.once('close', resolve))
    connection.once('close', () => session.destroy())
  }

  /** Resolves when the connection has closed. */
  get closed(): Promise<void> {
    return this.#closed
  }

  /** True when no call can be made any more. */
  get isClosed(): boolean {
    return this.#session.closed || this.#session.destroyed
  }

  /** Closes the connection. Calls in progress fail. */
  close(): void {
    this.#session.destroy()
  }

  /** Sends one message and gives the one that comes back. Throws `GrpcError`. */
  async unary<Input extends DescMessage, Output extends DescMessage>(
    method: Method<Input, Output>,
    input: MessageInitShape<Input>,
    options: CallOptions = {},
  ): Promise<MessageShape<Output>> {
    const call = this.open(method, options)
    await call.send(input)
    call.end()
    let result: MessageShape<Output> | undefined
    for await (const message of call.messages) result = message
    if (result === undefined) throw new GrpcError(grpcCode.internal, `${method.name} ended without an answer`)
    return result
  }

  /** Starts a call with any number of messages in both directions. */
  open<Input extends DescMessage, Output extends DescMessage>(
    method: Method<Input, Output>,
    { metadata = {}, signal }: CallOptions = {},
  ): OpenCall<Input, Output> {
    if (this.isClosed) throw gone()
    const headers = Object.entries(metadata).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : [...value],
    ])
    const stream = this.#session.request(
      {
        ...Object.fromEntries(headers),
        ':method': 'POST',
        ':path': `/${method.parent.typeName}/${method.name}`,
        'content-type': 'application/grpc',
        te: 'trailers',
      },
      { endStream: false, ...(signal === undefined ? {} : { signal }) },
    )
    const outcome = outcomeOf(stream)
    return {
      send: async (message) => {
        if (stream.destroyed || stream.writableEnded) throw (await outcome) ?? gone()
        if (stream.write(frameMessage(method.input, create(method.input, message)))) return
        await new Promise<void>((resolve) => {
          const go = () => {
            stream.off('drain', go)
            stream.off('close', go)
            resolve()
          }
          stream.on('drain', go)
          stream.on('close', go)
        })
      },
      end: () => stream.end(),
      messages: messagesOf(method, stream, outcome),
      cancel: () => stream.close(http2Cancel),
    }
  }
}

async function* messagesOf<Output extends DescMessage>(
  method: Method<DescMessage, Output>,
  stream: ClientHttp2Stream,
  outcome: Promise<GrpcError | undefined>,
): AsyncGenerator<MessageShape<Output>, void, undefined> {
  try {
    yield* readMessages(method.output, chunksOf(stream))
    const error = await outcome
    if (error !== undefined) throw error
  } finally {
    if (!stream.closed) stream.close(http2Cancel)
  }
}

/** The bytes of a stream. A broken connection just ends them; `outcomeOf` gives the error. */
async function* chunksOf(stream: ClientHttp2Stream): AsyncGenerator<Buffer, void, undefined> {
  try {
    yield* stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>
  } catch {
    return
  }
}

/** How a call ended: its error, or undefined. Must be called at once, because trailers arrive only once. */
function outcomeOf(stream: ClientHttp2Stream): Promise<GrpcError | undefined> {
  const { promise, resolve } = Promise.withResolvers<GrpcError | undefined>()
  let error: unknown
  stream.on('error', (cause) => {
    error = cause
  })
  stream.on('response', (headers: IncomingHttpHeaders & { readonly ':status'?: number }) => {
    const status = headers[':status']
    if (headers['grpc-status'] !== undefined) resolve(errorOfTrailers(headers))
    else if (status !== 200) resolve(new GrpcError(grpcCode.unavailable, `the client answered with status ${status}`))
  })
  stream.on('trailers', (headers) => resolve(errorOfTrailers(headers)))
  stream.on('close', () => resolve(stream.aborted || error !== undefined ? gone(error) : gone()))
  return promise
}

function gone(cause?: unknown): GrpcError {
  const options = cause === undefined ? {} : { cause }
  return new GrpcError(grpcCode.unavailable, 'the client closed its session', options)
}
