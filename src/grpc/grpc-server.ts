/** The server side of gRPC on an existing connection. */
import { constants, type IncomingHttpHeaders, performServerHandshake, type ServerHttp2Stream } from 'node:http2'
import type { Duplex } from 'node:stream'
import {
  create,
  type DescMessage,
  type DescMethod,
  type DescService,
  type MessageInitShape,
  type MessageShape,
} from '@bufbuild/protobuf'
import { BerthError } from '../base/index.ts'
import { connectionSettings, connectionWindowBytes } from './connection-settings.ts'
import { GrpcError, grpcCode, toGrpcError } from './grpc-error.ts'
import { frameMessage, readMessages } from './messages.ts'
import { statusTrailers } from './status-trailers.ts'

/** What a handler knows about its call. */
export interface ServerCall {
  readonly metadata: IncomingHttpHeaders
  /** Aborted when the client cancels the call or its connection closes. */
  readonly signal: AbortSignal
}

type HandlerOf<M> = M extends {
  readonly methodKind: infer Kind
  readonly input: infer Input extends DescMessage
  readonly output: infer Output extends DescMessage
}
  ? Kind extends 'unary'
    ? (input: MessageShape<Input>, call: ServerCall) => Promise<MessageInitShape<Output>>
    : Kind extends 'server_streaming'
      ? (input: MessageShape<Input>, call: ServerCall) => AsyncIterable<MessageInitShape<Output>>
      : (inputs: AsyncIterable<MessageShape<Input>>, call: ServerCall) => AsyncIterable<MessageInitShape<Output>>
  : never

/** One function for each method of a service. A call of a method without one is answered with "unimplemented". */
export type Handlers<Service extends DescService> = {
  readonly [Name in keyof Service['method']]?: HandlerOf<Service['method'][Name]>
}

type AnyHandler = (input: unknown, call: ServerCall) => unknown

interface Route {
  readonly method: DescMethod
  readonly handle: AnyHandler
}

/** The services that a server offers. */
export class GrpcRoutes {
  readonly #routes = new Map<string, Route>()

  /** Adds a service; returns this object. */
  add<Service extends DescService>(service: Service, handlers: Handlers<Service>): this {
    for (const method of service.methods) {
      const handle = (handlers as Readonly<Record<string, AnyHandler | undefined>>)[method.localName]
      if (handle !== undefined) this.#routes.set(`/${service.typeName}/${method.name}`, { method, handle })
    }
    return this
  }

  /** Serves the services on `connection`. Resolves when it is closed. */
  async serve(connection: Duplex): Promise<void> {
    const session = performServerHandshake(connection as never, { settings: connectionSettings })
    session.setLocalWindowSize(connectionWindowBytes)
    // Every call learns of the failure from its own stream.
    session.on('error', () => {})
    session.on('stream', (stream, headers) => void this.#answer(stream, headers))
    connection.once('close', () => session.destroy())
    await new Promise<void>((resolve) => session.once('close', resolve))
    connection.destroy()
  }

  async #answer(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
    stream.on('error', () => {})
    const abort = new AbortController()
    const answer = new Answer(stream)
    stream.once('close', () => {
      if (!answer.isComplete) abort.abort(new BerthError('cancelled', 'context canceled'))
    })
    try {
      const path = String(headers[':path'])
      const route = this.#routes.get(path)
      if (route === undefined) throw new GrpcError(grpcCode.unimplemented, `unknown method ${path}`)
      await call(route, stream, answer, { metadata: headers, signal: abort.signal })
      answer.end()
    } catch (error) {
      answer.end(toGrpcError(error))
    }
  }
}

async function call(
  { method, handle }: Route,
  stream: ServerHttp2Stream,
  answer: Answer,
  context: ServerCall,
): Promise<void> {
  const inputs = readMessages(method.input, stream as AsyncIterable<Buffer>)
  if (method.methodKind === 'unary' || method.methodKind === 'server_streaming') {
    const first = await inputs.next()
    if (first.done === true) throw new GrpcError(grpcCode.internal, `${method.name} was called without a request`)
    const result = handle(first.value, context)
    if (method.methodKind === 'unary') await answer.send(method.output, (await result) as MessageInitShape<DescMessage>)
    else
      for await (const one of result as AsyncIterable<MessageInitShape<DescMessage>>)
        await answer.send(method.output, one)
    return
  }
  for await (const one of handle(inputs, context) as AsyncIterable<MessageInitShape<DescMessage>>)
    await answer.send(method.output, one)
}

/** The answer on one stream. */
class Answer {
  readonly #stream: ServerHttp2Stream
  #isComplete = false

  constructor(stream: ServerHttp2Stream) {
    this.#stream = stream
  }

  /** True when the whole answer was handed over: the end of the stream then cancels no work. */
  get isComplete(): boolean {
    return this.#isComplete
  }

  async send(schema: DescMessage, message: MessageInitShape<DescMessage>): Promise<void> {
    const stream = this.#stream
    if (stream.destroyed) throw new BerthError('cancelled', 'context canceled')
    this.#begin()
    if (stream.write(frameMessage(schema, create(schema, message)))) return
    await new Promise<void>((resolve) => {
      stream.once('drain', resolve)
      stream.once('close', resolve)
    })
  }

  end(error?: GrpcError): void {
    const stream = this.#stream
    this.#isComplete = true
    if (stream.destroyed) return
    if (!stream.headersSent && error !== undefined) {
      stream.respond({ ...head, ...statusTrailers(error) }, { endStream: true })
      return
    }
    this.#begin()
    stream.once('wantTrailers', () => stream.sendTrailers(statusTrailers(error)))
    stream.end()
  }

  #begin(): void {
    if (!this.#stream.headersSent) this.#stream.respond(head, { waitForTrailers: true })
  }
}

const head = { [constants.HTTP2_HEADER_STATUS]: 200, 'content-type': 'application/grpc' }
