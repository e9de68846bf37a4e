/** Calls of gRPC methods over a connection that is there already. */
import { type ClientHttp2Session, type ClientHttp2Stream, connect, type IncomingHttpHeaders } from 'node:http2'
import type { Duplex } from 'node:stream'
import { create, type DescMessage, type DescMethod, type MessageInitShape, type MessageShape } from '@bufbuild/protobuf'
import { connectionSettings, connectionWindowBytes } from './connection-settings.ts'
import { GrpcError, grpcCode } from './grpc-error.ts'
import { frameMessage, readMessages } from './messages.ts'
import { errorOfTrailers } from './status-trailers.ts'

/** A method whose types are known. */
export type Method<Input extends DescMessage, Output extends DescMessage> = DescMethod & {
  readonly input: Input
  readonly output: Output
}

export interface CallOptions {
  /** Names in small letters; several values are several headers. */
  readonly metadata?: Readonly<Record<string, string | readonly string[]>>
  readonly signal?: AbortSignal | undefined
}

/** A call that goes on, both ways. */
export interface OpenCall<Input extends DescMessage, Output extends DescMessage> {
  /** Resolves when the connection can take more. */
  send(message: MessageInitShape<Input>): Promise<void>
  /** Nothing more is sent. */
  end(): void
  /** What comes back; throws `GrpcError` when the call ends with one. */
  readonly messages: AsyncIterable<MessageShape<Output>>
  /** Ends it from this side. */
  cancel(): void
}

const http2Cancel = 8

export class GrpcClient {
  readonly #session: ClientHttp2Session
  readonly #closed: Promise<void>

  /** Speaks on `connection`, which nobody else may read from or write to. */
  constructor(connection: Duplex) {
    const session = connect('http://session.invalid', {
      createConnection: () => connection,
      settings: connectionSettings,
    })
    this.#session = session
    session.on('connect', () => session.setLocalWindowSize(connectionWindowBytes))
    // Those who wait are told by their streams.
    session.on('error', () => {})
    this.#closed = new Promise((resolve) => session.once('close', resolve))
    connection.once('close', () => session.destroy())
  }

  /** Resolves when the connection is gone. */
  get closed(): Promise<void> {
    return this.#closed
  }

  get isClosed(): boolean {
    return this.#session.closed || this.#session.destroyed
  }

  close(): void {
    this.#session.destroy()
  }

  /** One message there, one back. */
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
    if (result === undefined) throw new GrpcError(grpcCode.internal, `${method.name} gave no answer`)
    return result
  }

  /** Any number of messages there and back. */
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

/** Its bytes; a broken connection is told by the outcome. */
async function* chunksOf(stream: ClientHttp2Stream): AsyncGenerator<Buffer, void, undefined> {
  try {
    yield* stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>
  } catch {
    return
  }
}

/** How a call ends. Listens from the beginning: trailers come once. */
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
