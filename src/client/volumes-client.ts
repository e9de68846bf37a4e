/** Calls under `/volumes`. */
import type { Volume, VolumeCreateBody, VolumeListResponse, VolumesPruneResponse } from '../api/index.ts'
import { type Filters, formatFilters } from './containers-client.ts'
import { type RawDocument, rawDocument } from './raw-document.ts'
import type { Transport } from './transport.ts'

export class VolumesClient {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  async create(body: VolumeCreateBody): Promise<Volume> {
    return (await this.#transport.request('POST', '/volumes/create', { json: body })).json()
  }

  async list({ filters }: { readonly filters?: Filters | undefined } = {}): Promise<VolumeListResponse> {
    return (await this.#transport.request('GET', '/volumes', { query: { filters: formatFilters(filters) } })).json()
  }

  async inspect(name: string): Promise<RawDocument<Volume>> {
    return rawDocument(await this.#transport.request('GET', `/volumes/${encodeURIComponent(name)}`))
  }

  async remove(name: string, { force }: { readonly force?: boolean } = {}): Promise<void> {
    const path = `/volumes/${encodeURIComponent(name)}`
    await (await this.#transport.request('DELETE', path, { query: { force } })).discard()
  }

  async prune({ filters }: { readonly filters?: Filters | undefined } = {}): Promise<VolumesPruneResponse> {
    const query = { filters: formatFilters(filters) }
    return (await this.#transport.request('POST', '/volumes/prune', { query })).json()
  }
}
