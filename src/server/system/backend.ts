import type { DiskUsage, DiskUsageType, EventMessage, StoreCheck, SystemInfo, SystemVersion } from '../../api/index.ts'
import type { AbortOptions } from '../../base/index.ts'
import type { Filters } from '../containers/index.ts'

export interface EventsOptions {
  /** Unix nanoseconds: history from here on first. */
  readonly sinceNs?: bigint | undefined
  /** Unix nanoseconds: the stream ends there. */
  readonly untilNs?: bigint | undefined
  readonly filters: Filters
}

/** What `/_ping`, `/version`, `/info`, `/events` and `/system/df` call. */
export interface SystemBackend {
  /** A command line says hello: what it asks for next may start a process. */
  greet?(): void
  version(): Promise<SystemVersion>
  info(): Promise<SystemInfo>
  /** Subscribed when this returns, so that no event after the answer's headers is missed. Ends at `untilNs` or by the signal. */
  events(options: EventsOptions, abort: AbortOptions): AsyncIterable<EventMessage>
  /** Optional: `GET /system/df` answers 501 without it. */
  diskUsage?(types: ReadonlySet<DiskUsageType>): Promise<DiskUsage>
  /** Looks at everything that is stored; takes long. */
  check(abort: AbortOptions): Promise<StoreCheck>
}
