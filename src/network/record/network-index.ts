/** The records of all networks, in memory and in the database. The database enforces unique names. */
import { invalidArgument, type Logger, messageOf, notFound } from '../../base/index.ts'
import type { NetworkTable } from '../../store/index.ts'
import { completeNetworkRecord, type NetworkRecord } from './network-record.ts'

export class NetworkIndex {
  readonly #table: NetworkTable<NetworkRecord>
  readonly #records = new Map<string, NetworkRecord>()
  readonly #byName = new Map<string, NetworkRecord>()

  private constructor(table: NetworkTable<NetworkRecord>) {
    this.#table = table
  }

  /** Reads all networks. A record that can't be read is logged and left as it is. */
  static open(table: NetworkTable<NetworkRecord>, logger: Logger): NetworkIndex {
    const index = new NetworkIndex(table)
    for (const { id, name, json } of table.all()) {
      try {
        index.#remember(completeNetworkRecord(JSON.parse(json) as Partial<NetworkRecord>))
      } catch (error) {
        logger.error('broken network record left alone', { network: id, name, error: messageOf(error) })
      }
    }
    return index
  }

  list(): NetworkRecord[] {
    return [...this.#records.values()]
  }

  get(id: string): NetworkRecord | undefined {
    return this.#records.get(id)
  }

  byName(name: string): NetworkRecord | undefined {
    return this.#byName.get(name)
  }

  /** A network by id, name or unambiguous prefix of an id. Throws `notFound`, and as `match` does. */
  find(nameOrId: string): NetworkRecord {
    const match = this.match(nameOrId)
    if (match === undefined) throw notFound(`network ${nameOrId} not found`)
    return match
  }

  /** The same; undefined if there is none. Throws `invalidArgument` for an ambiguous prefix. */
  match(nameOrId: string): NetworkRecord | undefined {
    const exact = this.#records.get(nameOrId) ?? this.#byName.get(nameOrId)
    if (exact !== undefined || !/^[0-9a-f]+$/.test(nameOrId)) return exact
    const matches = this.list().filter((record) => record.id.startsWith(nameOrId))
    if (matches.length > 1) {
      throw invalidArgument(`network ${nameOrId} is ambiguous (${matches.length} matches found based on ID prefix)`)
    }
    return matches[0]
  }

  /** Adds or replaces networks, all or none. Throws `conflict` if another network has one of the names. */
  put(...records: readonly NetworkRecord[]): void {
    this.#table.transaction(() => {
      for (const record of records) this.#table.put(record)
    })
    for (const record of records) this.#remember(record)
  }

  delete(id: string): void {
    const record = this.#records.get(id)
    if (record === undefined) return
    this.#table.delete(id)
    this.#records.delete(id)
    this.#byName.delete(record.name)
  }

  #remember(record: NetworkRecord): void {
    this.#records.set(record.id, record)
    this.#byName.set(record.name, record)
  }
}
