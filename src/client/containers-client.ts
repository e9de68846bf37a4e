/** Calls under `/containers` that start, stop and report. Output and input of containers: `ContainerIoClient`. */
import type {
  ContainerCreateBody,
  ContainerCreateResponse,
  ContainerInspect,
  ContainerSummary,
  ContainersPruneResponse,
  ContainerUpdateResponse,
  ContainerWaitResponse,
  Filters,
  HostConfig,
  WaitCondition,
} from '../api/index.ts'
import type { AbortOptions } from '../base/index.ts'
import { type RawDocument, rawDocument } from './transport/raw-document.ts'
import type { Transport } from './transport/transport.ts'

export interface ContainerListOptions extends AbortOptions {
  readonly all?: boolean | undefined
  readonly limit?: number | undefined
  readonly size?: boolean | undefined
  readonly filters?: Filters | undefined
}

/** How `stop` and `restart` end the process. */
export interface StopBehaviour extends AbortOptions {
  readonly stopSignal?: string | undefined
  readonly timeoutSeconds?: number | undefined
}

/** A wait that the daemon has armed. */
export interface ArmedWait {
  /** Resolves when the condition came true. */
  readonly result: Promise<ContainerWaitResponse>
}

export class ContainersClient {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  async create(
    body: ContainerCreateBody,
    { name, platform, signal }: AbortOptions & { readonly name?: string; readonly platform?: string } = {},
  ): Promise<ContainerCreateResponse> {
    const query = { name: name || undefined, platform: platform || undefined }
    const response = await this.#transport.request('POST', '/containers/create', { query, json: body, signal })
    return response.json()
  }

  async start(
    id: string,
    options: AbortOptions & { readonly detachKeys?: string | undefined; readonly checkpoint?: string | undefined } = {},
  ): Promise<void> {
    const { detachKeys, checkpoint, signal } = options
    const query = { detachKeys: detachKeys || undefined, checkpoint: checkpoint || undefined }
    await this.#post(id, 'start', { query, signal })
  }

  async stop(id: string, { stopSignal, timeoutSeconds, signal }: StopBehaviour = {}): Promise<void> {
    await this.#post(id, 'stop', { query: { signal: stopSignal || undefined, t: timeoutSeconds }, signal })
  }

  async restart(id: string, { stopSignal, timeoutSeconds, signal }: StopBehaviour = {}): Promise<void> {
    await this.#post(id, 'restart', { query: { signal: stopSignal || undefined, t: timeoutSeconds }, signal })
  }

  async kill(id: string, killSignal: string): Promise<void> {
    await this.#post(id, 'kill', { query: { signal: killSignal || undefined } })
  }

  async pause(id: string): Promise<void> {
    await this.#post(id, 'pause', {})
  }

  async unpause(id: string): Promise<void> {
    await this.#post(id, 'unpause', {})
  }

  /** Changes what is given of resources and restart policy. */
  async update(id: string, changes: HostConfig): Promise<ContainerUpdateResponse> {
    const path = `/containers/${encodeURIComponent(id)}/update`
    return (await this.#transport.request('POST', path, { json: changes })).json()
  }

  async rename(id: string, name: string): Promise<void> {
    await this.#post(id, 'rename', { query: { name } })
  }

  async remove(
    id: string,
    { force, volumes, link }: { readonly force?: boolean; readonly volumes?: boolean; readonly link?: boolean } = {},
  ): Promise<void> {
    const response = await this.#transport.request('DELETE', `/containers/${encodeURIComponent(id)}`, {
      query: { force, v: volumes, link },
    })
    await response.discard()
  }

  async list({ all, limit, size, filters, signal }: ContainerListOptions = {}): Promise<ContainerSummary[]> {
    const query = { all, limit, size, filters: formatFilters(filters) }
    return (await this.#transport.request('GET', '/containers/json', { query, signal })).json()
  }

  async inspect(id: string, { size }: { readonly size?: boolean } = {}): Promise<RawDocument<ContainerInspect>> {
    return rawDocument(
      await this.#transport.request('GET', `/containers/${encodeURIComponent(id)}/json`, { query: { size } }),
    )
  }

  /** Removes those that do not run. */
  async prune({ filters }: { readonly filters?: Filters | undefined } = {}): Promise<ContainersPruneResponse> {
    const query = { filters: formatFilters(filters) }
    return (await this.#transport.request('POST', '/containers/prune', { query })).json()
  }

  /** Resolves when the daemon watches: what happens after that is not missed. */
  async wait(id: string, condition?: WaitCondition, { signal }: AbortOptions = {}): Promise<ArmedWait> {
    const path = `/containers/${encodeURIComponent(id)}/wait`
    const response = await this.#transport.request('POST', path, { query: { condition }, signal })
    const result = response.json<ContainerWaitResponse>()
    // Whoever drops the wait must not see its failure as an unhandled rejection.
    result.catch(() => undefined)
    return { result }
  }

  async #post(id: string, action: string, options: Parameters<Transport['request']>[2]): Promise<void> {
    const response = await this.#transport.request('POST', `/containers/${encodeURIComponent(id)}/${action}`, options)
    await response.discard()
  }
}

/** Filters as the query carries them; undefined when there are none. */
export function formatFilters(filters: Filters | undefined): string | undefined {
  if (filters === undefined || Object.keys(filters).length === 0) return undefined
  const sets = Object.entries(filters).map(([name, values]) => [
    name,
    Object.fromEntries(values.map((value) => [value, true])),
  ])
  return JSON.stringify(Object.fromEntries(sets))
}
