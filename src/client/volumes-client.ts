/** Calls under `/volumes`. */
import type { Filters, Volume, VolumeCreateBody, VolumeListResponse, VolumesPruneResponse } from '../api/index.ts'
import type { AbortOptions } from '../base/index.ts'
import { formatFilters } from './transport/filters.ts'
import { type RawDocument, rawDocument } from './transport/raw-document.ts'
import type { Transport } from './transport/transport.ts'

/** How to write a backup. */
export interface BackupOptions extends AbortOptions {
  /** Freeze the containers that use the volume during the backup. */
  readonly pause?: boolean
  readonly compression?: 'none' | 'gzip' | 'zstd'
}

/** How to restore a backup. */
export interface RestoreOptions extends AbortOptions {
  readonly pause?: boolean
  /** Replace the contents of a volume that is not empty. */
  readonly force?: boolean
}

/** Volumes, their backup and restore. */
export class VolumesClient {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** Creates a volume, or gives the existing one of that name. */
  async create(body: VolumeCreateBody): Promise<Volume> {
    return (await this.#transport.request('POST', '/volumes/create', { json: body })).json()
  }

  /** Lists volumes. */
  async list({ filters }: { readonly filters?: Filters | undefined } = {}): Promise<VolumeListResponse> {
    return (await this.#transport.request('GET', '/volumes', { query: { filters: formatFilters(filters) } })).json()
  }

  /** Describes a volume. Throws `notFound`. */
  async inspect(name: string): Promise<RawDocument<Volume>> {
    return rawDocument(await this.#transport.request('GET', `/volumes/${encodeURIComponent(name)}`))
  }

  /** Removes a volume that no container uses. */
  async remove(name: string, { force }: { readonly force?: boolean } = {}): Promise<void> {
    const path = `/volumes/${encodeURIComponent(name)}`
    await (await this.#transport.request('DELETE', path, { query: { force } })).discard()
  }

  /** The volume's contents as a tar stream. Resolves when the daemon has found the volume. Only Berth has this call. */
  async backup(
    name: string,
    { pause = true, compression = 'zstd', signal }: BackupOptions = {},
  ): Promise<AsyncIterable<Uint8Array>> {
    const query = { pause: pause ? '1' : '0', compression }
    return (await this.#transport.request('GET', archivePath(name), { query, signal })).chunks()
  }

  /** Replaces the volume's contents by those of a tar archive, plain or compressed. Creates the volume if it does not
   *  exist. Only Berth has this call. */
  async restore(
    name: string,
    archive: AsyncIterable<Buffer>,
    { pause = true, force = false, signal }: RestoreOptions = {},
  ): Promise<Volume> {
    const query = { pause: pause ? '1' : '0', force }
    return (await this.#transport.request('PUT', archivePath(name), { query, body: archive, signal })).json()
  }

  /** Removes anonymous volumes that no container uses; with the filter `all=true`, named ones as well. */
  async prune({ filters }: { readonly filters?: Filters | undefined } = {}): Promise<VolumesPruneResponse> {
    const query = { filters: formatFilters(filters) }
    return (await this.#transport.request('POST', '/volumes/prune', { query })).json()
  }
}

function archivePath(name: string): string {
  return `/berth/volumes/${encodeURIComponent(name)}/archive`
}
