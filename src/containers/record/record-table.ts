import type { ContainerRecord } from './container-record.ts'

/** Where records are kept. `ContainerTable` of `store` is the real one. Each call is one transaction. */
export interface RecordTable {
  /** Adds a container. Throws `conflict` when the id or name is taken. */
  insert(record: ContainerRecord): void
  /** Replaces a container's record (and name). Throws `notFound` when it is gone, `conflict` when the name is taken. */
  update(record: ContainerRecord): void
  delete(id: string): void
  /** Every container, as text still to be parsed, so that a broken record harms no other. */
  all(): readonly { readonly id: string; readonly name: string; readonly json: string }[]
}
