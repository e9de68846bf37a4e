/** Calls under `/networks`. */
import type {
  Filters,
  Network,
  NetworkConnectBody,
  NetworkCreateBody,
  NetworkCreateResponse,
  NetworkDisconnectBody,
  NetworksPruneResponse,
} from '../api/index.ts'
import { formatFilters } from './transport/filters.ts'
import { type RawDocument, rawDocument } from './transport/raw-document.ts'
import type { Transport } from './transport/transport.ts'

/** Networks and their containers. */
export class NetworksClient {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** Creates a network. */
  async create(body: NetworkCreateBody): Promise<NetworkCreateResponse> {
    return (await this.#transport.request('POST', '/networks/create', { json: body })).json()
  }

  /** Lists networks. */
  async list({ filters }: { readonly filters?: Filters | undefined } = {}): Promise<Network[]> {
    return (await this.#transport.request('GET', '/networks', { query: { filters: formatFilters(filters) } })).json()
  }

  /** Describes a network. Throws `notFound`. */
  async inspect(name: string, { verbose }: { readonly verbose?: boolean } = {}): Promise<RawDocument<Network>> {
    return rawDocument(await this.#transport.request('GET', pathOf(name), { query: { verbose } }))
  }

  /** Connects a container to a network. */
  async connect(name: string, body: NetworkConnectBody): Promise<void> {
    await (await this.#transport.request('POST', `${pathOf(name)}/connect`, { json: body })).discard()
  }

  /** Disconnects a container from a network. */
  async disconnect(name: string, body: NetworkDisconnectBody): Promise<void> {
    await (await this.#transport.request('POST', `${pathOf(name)}/disconnect`, { json: body })).discard()
  }

  /** Removes a network that no container uses. */
  async remove(name: string): Promise<void> {
    await (await this.#transport.request('DELETE', pathOf(name))).discard()
  }

  /** Removes all networks that no container uses. */
  async prune({ filters }: { readonly filters?: Filters | undefined } = {}): Promise<NetworksPruneResponse> {
    const query = { filters: formatFilters(filters) }
    return (await this.#transport.request('POST', '/networks/prune', { query })).json()
  }
}

function pathOf(name: string): string {
  return `/networks/${encodeURIComponent(name)}`
}
