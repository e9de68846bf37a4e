/** Calls under `/containers` for a container's input, output, statistics and processes. */
import type { ContainerStats, ContainerTopResponse } from '../api/index.ts'
import type { AbortOptions, OutputStream } from '../base/index.ts'
import { Demultiplexer } from './transport/demultiplexer.ts'
import { type AttachedStream, HijackedStream } from './transport/hijacked-stream.ts'
import { jsonLines } from './transport/json-lines.ts'
import type { Transport } from './transport/transport.ts'

/** Which streams to attach. */
export interface AttachOptions extends AbortOptions {
  readonly stdin?: boolean | undefined
  readonly stdout?: boolean | undefined
  readonly stderr?: boolean | undefined
  /** Also send the output from before the attach. */
  readonly logs?: boolean | undefined
  readonly detachKeys?: string | undefined
  /** True if the container has a terminal: its output is then raw. */
  readonly tty: boolean
}

/** Which part of a log to read. */
export interface LogOptions extends AbortOptions {
  readonly stdout: boolean
  readonly stderr: boolean
  readonly follow?: boolean | undefined
  readonly timestamps?: boolean | undefined
  readonly details?: boolean | undefined
  /** A number of lines, or `all`. */
  readonly tail?: string | undefined
  /** Unix time: `seconds[.fraction]`. */
  readonly since?: string | undefined
  readonly until?: string | undefined
  readonly tty: boolean
}

/** Input, output, statistics and processes of containers. */
export class ContainerIoClient {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** Resolves when the daemon has attached: no later output is missed. */
  async attach(id: string, { tty, signal, ...options }: AttachOptions): Promise<AttachedStream> {
    const { stdin, stdout, stderr, logs, detachKeys } = options
    const query = { stream: true, stdin, stdout, stderr, logs, detachKeys: detachKeys || undefined }
    const path = `/containers/${encodeURIComponent(id)}/attach`
    const connection = await this.#transport.hijack('POST', path, { query, signal })
    return new HijackedStream(connection, { multiplexed: !tty })
  }

  /** Passes the log to `write` until it ends. With `follow`, it ends when the container does. */
  async logs(
    id: string,
    { tty, signal, ...query }: LogOptions,
    write: (stream: OutputStream, chunk: Buffer) => void,
  ): Promise<void> {
    const path = `/containers/${encodeURIComponent(id)}/logs`
    const response = await this.#transport.request('GET', path, { query, signal })
    const frames = new Demultiplexer(write)
    for await (const chunk of response.chunks()) {
      if (tty) write('stdout', chunk)
      else frames.push(chunk)
    }
  }

  /** Sets the size of the container's terminal, in lines and columns. */
  async resize(id: string, { height, width }: { readonly height: number; readonly width: number }): Promise<void> {
    const path = `/containers/${encodeURIComponent(id)}/resize`
    const response = await this.#transport.request('POST', path, { query: { h: height, w: width } })
    await response.discard()
  }

  /** The container's statistics: once, or with `stream` once per second until the container is removed. */
  async *stats(
    id: string,
    { stream, signal }: AbortOptions & { readonly stream: boolean },
  ): AsyncGenerator<ContainerStats, void, void> {
    const path = `/containers/${encodeURIComponent(id)}/stats`
    const response = await this.#transport.request('GET', path, { query: { stream: stream ? '1' : '0' }, signal })
    yield* jsonLines<ContainerStats>(response.chunks())
  }

  /** The processes of the container, as `ps` with these arguments prints them. */
  async top(id: string, psArguments: readonly string[]): Promise<ContainerTopResponse> {
    const query = { ps_args: psArguments.length === 0 ? undefined : psArguments.join(' ') }
    const response = await this.#transport.request('GET', `/containers/${encodeURIComponent(id)}/top`, { query })
    return response.json()
  }
}
