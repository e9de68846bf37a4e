/** The one owner of container records: in memory, written through to the database. */
import { invalidArgument, type Logger, messageOf, notFound } from '../base/index.ts'
import type { ContainerTable } from '../store/index.ts'
import type { ContainerRecord } from './container-record.ts'

export class ContainerIndex {
  readonly #table: ContainerTable<ContainerRecord>
  readonly #byId = new Map<string, ContainerRecord>()
  readonly #idByName = new Map<string, string>()

  private constructor(table: ContainerTable<ContainerRecord>) {
    this.#table = table
  }

  /** Reads all records. A record that can't be read is logged and left alone in the database. */
  static open(table: ContainerTable<ContainerRecord>, logger: Logger): ContainerIndex {
    const index = new ContainerIndex(table)
    for (const { id, json } of table.all()) {
      try {
        const record = JSON.parse(json) as ContainerRecord
        if (record.version !== 1 || record.id !== id) throw new Error(`unknown record version ${record.version}`)
        index.#remember(record)
      } catch (error) {
        logger.error('container record is broken and was set aside', { container: id, error: messageOf(error) })
      }
    }
    return index
  }

  /** Adds a new record. Throws `conflict` when its name was taken. */
  insert(record: ContainerRecord): void {
    this.#table.insert(record)
    this.#remember(record)
  }

  /** Replaces a record by its next version. */
  save(record: ContainerRecord): void {
    const previous = this.#byId.get(record.id)
    this.#table.update(record)
    if (previous !== undefined && previous.name !== record.name) this.#idByName.delete(previous.name)
    this.#remember(record)
  }

  delete(id: string): void {
    const record = this.#byId.get(id)
    this.#table.delete(id)
    this.#byId.delete(id)
    if (record !== undefined) this.#idByName.delete(record.name)
  }

  /** The present record of a full id, or undefined. */
  find(id: string): ContainerRecord | undefined {
    return this.#byId.get(id)
  }

  findByName(name: string): ContainerRecord | undefined {
    const id = this.#idByName.get(name)
    return id === undefined ? undefined : this.#byId.get(id)
  }

  /** By full id, name (with or without slash) or unique id prefix, in this order, as Docker does.
   *  Throws `notFound`, or `invalidArgument` when a prefix fits several. */
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
    throw notFound(`No such container: ${idOrName}`)
  }

  /** All records, in no order. */
  all(): ContainerRecord[] {
    return [...this.#byId.values()]
  }

  #remember(record: ContainerRecord): void {
    this.#byId.set(record.id, record)
    this.#idByName.set(record.name, record.id)
  }
}
