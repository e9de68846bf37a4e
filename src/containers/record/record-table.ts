/** The database table of container records, as the index uses it. */
import type { ContainerRecord } from './container-record.ts'

/** Stores records. `ContainerTable` of `store` is the real implementation. Each call is one transaction. */
export interface RecordTable {
  /** Adds a container. Throws `conflict` if the id or name is taken. */
  insert(record: ContainerRecord): void
  /** Replaces a container's record (and name). Throws `notFound` if it was deleted, and `conflict` if the name is
   *  taken. */
  update(record: ContainerRecord): void
  delete(id: string): void
  /** All containers, as unparsed text, so that one broken record does not affect the others. */
  all(): readonly { readonly id: string; readonly name: string; readonly json: string }[]
}
