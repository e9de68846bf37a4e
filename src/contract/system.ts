/** What `/_ping`, `/version`, `/info`, `/events` and `/system/df` ask of an engine. */
import type {
  DiskUsage,
  DiskUsageType,
  EventMessage,
  Filters,
  StoreCheck,
  SystemInfo,
  SystemVersion,
} from '../api/index.ts'
import type { AbortOptions } from '../base/index.ts'

/** Which events to send. */
export interface EventsOptions {
  /** Unix time in nanoseconds: past events from this time on come first. Absent: no past events. */
  readonly sinceNs?: bigint | undefined
  /** Unix time in nanoseconds: the stream ends then. Absent: it ends by the signal. */
  readonly untilNs?: bigint | undefined
  readonly filters: Filters
}

/** What the routes of the system call. */
export interface SystemBackend {
  /** A command line has sent its ping. Its next request may start a process, so the engine can prepare for that. */
  greet(): void
  version(): Promise<SystemVersion>
  info(): Promise<SystemInfo>
  /** Subscribed when this returns, so that no event after the answer's headers is missed. Ends at `untilNs` or by the
   *  signal. */
  events(options: EventsOptions, abort: AbortOptions): AsyncIterable<EventMessage>
  /** Bytes that objects of these types take. The lists of other types are null. */
  diskUsage(types: ReadonlySet<DiskUsageType>): Promise<DiskUsage>
  /** Reads everything that is stored and reports what is damaged or too open. Takes long. */
  check(abort: AbortOptions): Promise<StoreCheck>
}
