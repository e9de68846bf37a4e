/** The single owner of container records: kept in memory and written through to the database. */
import { invalidArgument, type Logger, messageOf, notFound } from '../../base/index.ts'
import type { ContainerRecord } from './container-record.ts'
import { type ContainerLink, LinkIndex } from './link-index.ts'
import type { RecordTable } from './record-table.ts'

const noLinks: readonly ContainerLink[] = []

/** All container records, by id and name. Every change is written to the database before it is visible in memory. */
export class ContainerIndex {
  /** The links of all stored records; updated with every change. */
  readonly links = new LinkIndex()
  readonly #table: RecordTable
  readonly #byId = new Map<string, ContainerRecord>()
  readonly #idByName = new Map<string, string>()
  /** Ids of records that can't be read, by name. */
  readonly #broken = new Map<string, string>()

  private constructor(table: RecordTable) {
    this.#table = table
  }

  /** Reads all records from the table. A record that can't be read is logged and set aside: it and the container's
   *  files stay untouched until a client removes the container by name or id. */
  static open(table: RecordTable, logger: Logger): ContainerIndex {
    const index = new ContainerIndex(table)
    for (const { id, name, json } of table.all()) {
      try {
        index.#remember(parseRecord(id, json))
      } catch (error) {
        index.#broken.set(name, id)
        logger.error('container record is broken and was set aside', { container: id, name, error: messageOf(error) })
      }
    }
    return index
  }

  /** Ids of the records that were set aside. */
  get brokenIds(): ReadonlySet<string> {
    return new Set(this.#broken.values())
  }

  /** The id of a record that was set aside, looked up by full id or name; undefined if there is none. */
  findBroken(idOrName: string): string | undefined {
    return this.#broken.get(idOrName) ?? [...this.#broken.values()].find((id) => id === idOrName)
  }

  /** Adds a new record. Throws `conflict` if the name is taken. */
  insert(record: ContainerRecord): void {
    this.#table.insert(record)
    this.#remember(record)
  }

  /** Replaces a record by its next version. Throws `conflict` if the record's new name is taken. */
  save(record: ContainerRecord): void {
    const previous = this.#byId.get(record.id)
    this.#table.update(record)
    if (previous !== undefined && previous.name !== record.name) this.#idByName.delete(previous.name)
    this.#remember(record)
  }

  /** Deletes a record, or one that was set aside, by full id. Does nothing if there is none. */
  delete(id: string): void {
    const record = this.#byId.get(id)
    this.#table.delete(id)
    this.#byId.delete(id)
    this.links.set(id, [])
    if (record !== undefined) this.#idByName.delete(record.name)
    for (const [name, brokenId] of this.#broken) if (brokenId === id) this.#broken.delete(name)
  }

  /** The current record by full id, or undefined. */
  find(id: string): ContainerRecord | undefined {
    return this.#byId.get(id)
  }

  /** The current record of this name (without a slash), or undefined. */
  findByName(name: string): ContainerRecord | undefined {
    const id = this.#idByName.get(name)
    return id === undefined ? undefined : this.#byId.get(id)
  }

  /** Looks a record up by full id, name (with or without a slash) or unique id prefix, in this order, as Docker does.
   *  Throws `notFound`, and `invalidArgument` if the text is empty or several ids have this prefix. */
  get(idOrName: string): ContainerRecord {
    const name = idOrName.startsWith('/') ? idOrName.slice(1) : idOrName
    const exact = this.#byId.get(idOrName) ?? this.findByName(name)
    if (exact !== undefined) return exact
    if (/^[0-9a-f]+$/.test(idOrName)) {
      const found = [...this.#byId.keys()].filter((id) => id.startsWith(idOrName))
      if (found.length > 1) throw invalidArgument(`Multiple IDs found with provided prefix: ${idOrName}`)
      const record = found[0] === undefined ? undefined : this.#byId.get(found[0])
      if (record !== undefined) return record
    }
    if (idOrName === '') throw invalidArgument('invalid name or ID supplied: ""')
    throw notFound(`No such container: ${idOrName}`)
  }

  /** All records, in no particular order. */
  all(): ContainerRecord[] {
    return [...this.#byId.values()]
  }

  #remember(record: ContainerRecord): void {
    this.#byId.set(record.id, record)
    this.links.set(record.id, record.links ?? noLinks)
    this.#idByName.set(record.name, record.id)
  }
}

/** Checks only the members that the boot needs; a record that lacks another member fails where that one is used. */
function parseRecord(id: string, json: string): ContainerRecord {
  const record = JSON.parse(json) as Partial<ContainerRecord> | null
  if (record?.version !== 1 || record.id !== id) throw new Error(`unknown record version ${record?.version}`)
  const { name, state, config, hostConfig, mounts } = record
  const isWhole =
    typeof name === 'string' &&
    typeof state?.status === 'string' &&
    typeof config === 'object' &&
    typeof hostConfig === 'object' &&
    Array.isArray(mounts)
  if (!isWhole) throw new Error('parts of the record are missing')
  return record as ContainerRecord
}
