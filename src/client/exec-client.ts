/** Calls under `/exec` and `/containers/{id}/exec`. */
import type { ExecConfig, ExecInspect, ExecStartBody } from '../api/index.ts'
import { type AttachedStream, HijackedStream } from './transport/hijacked-stream.ts'
import type { Transport } from './transport/transport.ts'

/** Further processes in running containers. */
export class ExecClient {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** Prepares a process in a container, and gives its id. */
  async create(container: string, config: ExecConfig): Promise<{ readonly Id: string }> {
    const path = `/containers/${encodeURIComponent(container)}/exec`
    return (await this.#transport.request('POST', path, { json: config })).json()
  }

  /** Starts the process without attaching to it. */
  async startDetached(id: string, body: ExecStartBody): Promise<void> {
    const response = await this.#transport.request('POST', `/exec/${encodeURIComponent(id)}/start`, {
      json: { ...body, Detach: true },
    })
    await response.discard()
  }

  /** Starts the process and attaches to the streams that `create` asked for. */
  async start(id: string, body: ExecStartBody): Promise<AttachedStream> {
    const path = `/exec/${encodeURIComponent(id)}/start`
    const connection = await this.#transport.hijack('POST', path, { json: { ...body, Detach: false } })
    return new HijackedStream(connection, { multiplexed: body.Tty !== true })
  }

  /** Describes the process. */
  async inspect(id: string): Promise<ExecInspect> {
    return (await this.#transport.request('GET', `/exec/${encodeURIComponent(id)}/json`)).json()
  }

  /** Sets the size of the process's terminal, in lines and columns. */
  async resize(id: string, { height, width }: { readonly height: number; readonly width: number }): Promise<void> {
    const path = `/exec/${encodeURIComponent(id)}/resize`
    await (await this.#transport.request('POST', path, { query: { h: height, w: width } })).discard()
  }
}
