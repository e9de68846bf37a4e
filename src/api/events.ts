import type { StringMap } from './optional.ts'

export type EventType =
  | 'builder'
  | 'config'
  | 'container'
  | 'daemon'
  | 'image'
  | 'network'
  | 'node'
  | 'plugin'
  | 'secret'
  | 'service'
  | 'volume'

export interface EventActor {
  readonly ID: string
  readonly Attributes: StringMap
}

/** One line of `GET /events`. The server adds the old members `status`, `id` and `from` for API versions that have them. */
export interface EventMessage {
  readonly Type: EventType
  readonly Action: string
  readonly Actor: EventActor
  readonly scope: 'local' | 'swarm'
  /** Unix seconds. */
  readonly time: number
  /** Unix nanoseconds, more than a number holds: written without quotes. */
  readonly timeNano: bigint
}
