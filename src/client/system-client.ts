/** Calls about the daemon itself. */
import type { DiskUsage, EventMessage, Filters, StoreCheck, SystemInfo, SystemVersion } from '../api/index.ts'
import type { AbortOptions } from '../base/index.ts'
import { formatFilters } from './transport/filters.ts'
import { jsonLines } from './transport/json-lines.ts'
import { type RawDocument, rawDocument } from './transport/raw-document.ts'
import type { Transport } from './transport/transport.ts'

/** Which events to read. Times as `docker events` takes them. */
export interface EventOptions extends AbortOptions {
  readonly since?: string | undefined
  readonly until?: string | undefined
  readonly filters?: Filters | undefined
}

/** The daemon: version, information, disk usage, events. */
export class SystemClient {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** The headers of `/_ping`: API version, operating system, builder. */
  async ping({ signal }: AbortOptions = {}): Promise<ReadonlyMap<string, string>> {
    const response = await this.#transport.request('HEAD', '/_ping', { signal })
    await response.discard()
    return response.headers
  }

  /** The daemon's version, and those of its parts. */
  async version(): Promise<RawDocument<SystemVersion>> {
    return rawDocument(await this.#transport.request('GET', '/version'))
  }

  /** Reads any JSON document of the API, by its path. */
  async raw(path: string): Promise<RawDocument<unknown>> {
    return rawDocument(await this.#transport.request('GET', path))
  }

  /** The daemon's settings and counts. */
  async info(): Promise<RawDocument<SystemInfo>> {
    return rawDocument(await this.#transport.request('GET', '/info'))
  }

  /** The space that images, containers, volumes and the build cache take. */
  async diskUsage(): Promise<DiskUsage> {
    return (await this.#transport.request('GET', '/system/df')).json()
  }

  /** Makes the daemon verify everything that it stores, which takes long. */
  async check(): Promise<StoreCheck> {
    return (await this.#transport.request('POST', '/berth/check')).json()
  }

  /** Yields events until the time `until`, or until `signal` is aborted. */
  async *events({ since, until, filters, signal }: EventOptions = {}): AsyncGenerator<EventMessage, void, void> {
    const query = { since: since || undefined, until: until || undefined, filters: formatFilters(filters) }
    const response = await this.#transport.request('GET', '/events', { query, signal })
    yield* jsonLines<EventMessage>(response.chunks(), parseEvent)
  }
}

/** Parses an event. `timeNano` is larger than a number can hold exactly, so it becomes a bigint. */
function parseEvent(line: string): unknown {
  return JSON.parse(line, (key: string, value: unknown, context?: { readonly source?: string }) =>
    key === 'timeNano' && context?.source !== undefined ? BigInt(context.source) : value,
  )
}
