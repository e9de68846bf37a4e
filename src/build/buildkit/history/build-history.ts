/** The builds of BuildKit's clients, running and recent ones. They are kept in memory until the daemon stops. Clients
 *  list and watch them (`buildx history`), and read their provenance for `--metadata-file`. */
import { conflict, notFound, nowNs } from '../../../base/index.ts'
import { BuildRecord, type BuildRecordOptions } from './build-record.ts'

/** BuildKit's own limits for builds that are not pinned. */
const maxRecords = 50
const maxAgeNs = 48n * 60n * 60n * 1_000_000_000n
/** Limit for what all records keep. Above it, the transcripts of the oldest builds are dropped first. */
const maxBytes = 32 * 1024 * 1024

/** BuildKit's numbers for history events. */
export const historyEvent = { started: 0, complete: 1, deleted: 2 } as const

/** A change of the history: a build started, completed, or was deleted. */
export interface HistoryChange {
  readonly type: (typeof historyEvent)[keyof typeof historyEvent]
  readonly record: BuildRecord
}

/** All build records. */
export class BuildHistory {
  readonly #records = new Map<string, BuildRecord>()
  readonly #listeners = new Set<(change: HistoryChange) => void>()

  /** Adds the record of a build that starts. */
  begin(options: BuildRecordOptions): BuildRecord {
    const record = new BuildRecord(options)
    this.#records.set(record.ref, record)
    this.#tell({ type: historyEvent.started, record })
    return record
  }

  /** Reports that a build has ended. Its record must be complete. */
  end(record: BuildRecord): void {
    this.#tell({ type: historyEvent.complete, record })
    this.#bound()
  }

  /** All records, oldest first. */
  records(): readonly BuildRecord[] {
    this.#bound()
    return [...this.#records.values()]
  }

  /** The record of a build, by the client's name for it. */
  find(ref: string): BuildRecord | undefined {
    return this.#records.get(ref)
  }

  /** Finds a blob that one of the records refers to. */
  blob(digest: string): { readonly bytes: Buffer; readonly created: bigint } | undefined {
    for (const record of this.#records.values()) {
      const bytes = record.blob(digest)
      if (bytes !== undefined) return { bytes, created: record.created }
    }
    return undefined
  }

  /** Pins a build, so that it is never removed for its age, or unpins it. Throws `notFound`. */
  pin(ref: string, pinned: boolean): void {
    const record = this.#existing(ref)
    record.pinned = pinned
    this.#tell({ type: historyEvent.complete, record })
  }

  /** Removes a record. Throws `notFound`, and `conflict` for a running build. */
  remove(ref: string): void {
    const record = this.#existing(ref)
    if (!record.isOver) throw conflict(`build ${ref} is still running`)
    this.#forget(record)
  }

  /** Calls `listener` for each change until the result is disposed of. */
  watch(listener: (change: HistoryChange) => void): Disposable {
    this.#listeners.add(listener)
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) }
  }

  #existing(ref: string): BuildRecord {
    const record = this.#records.get(ref)
    if (record === undefined) throw notFound(`no build record ${ref}`)
    return record
  }

  #forget(record: BuildRecord): void {
    this.#records.delete(record.ref)
    this.#tell({ type: historyEvent.deleted, record })
  }

  #bound(): void {
    const oldest = nowNs() - maxAgeNs
    const loose = [...this.#records.values()].filter(({ isOver, pinned }) => isOver && !pinned)
    const tooMany = loose.length - maxRecords
    for (const [at, record] of loose.entries())
      if (at < tooMany || (record.completed ?? 0n) < oldest) this.#forget(record)
    let bytes = [...this.#records.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    for (const record of this.#records.values()) {
      if (bytes <= maxBytes) return
      bytes -= record.sizeBytes
      record.transcript.drop()
      bytes += record.sizeBytes
    }
  }

  #tell(change: HistoryChange): void {
    for (const listener of this.#listeners) listener(change)
  }
}
