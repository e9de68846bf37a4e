/** Calls under `/networks`. */
import type { Network } from '../api/index.ts'
import { type Filters, formatFilters } from './containers-client.ts'
import { type RawDocument, rawDocument } from './raw-document.ts'
import type { Transport } from './transport.ts'

export class NetworksClient {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  async list({ filters }: { readonly filters?: Filters | undefined } = {}): Promise<Network[]> {
    return (await this.#transport.request('GET', '/networks', { query: { filters: formatFilters(filters) } })).json()
  }

  /** Removes those that no container uses. */
  async prune({
    filters,
  }: {
    readonly filters?: Filters | undefined
  } = {}): Promise<{ readonly NetworksDeleted: readonly string[] | null }> {
    const query = { filters: formatFilters(filters) }
    return (await this.#transport.request('POST', '/networks/prune', { query })).json()
  }

  async inspect(name: string, { verbose }: { readonly verbose?: boolean } = {}): Promise<RawDocument<Network>> {
    return rawDocument(
      await this.#transport.request('GET', `/networks/${encodeURIComponent(name)}`, { query: { verbose } }),
    )
  }
}
