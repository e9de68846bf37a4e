import type { StringMap } from './optional.ts'

/** Kinds of objects that events are about. */
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

/** The object that an event is about. */
export interface EventActor {
  readonly ID: string
  readonly Attributes: StringMap
}

/** One line of `GET /events`. The server adds the old members `status`, `id` and `from` for API versions that have
 *  them. */
export interface EventMessage {
  readonly Type: EventType
  readonly Action: string
  readonly Actor: EventActor
  readonly scope: 'local' | 'swarm'
  /** Unix seconds. */
  readonly time: number
  /** Unix nanoseconds. JSON has it as a number, which is too large for a JavaScript number. */
  readonly timeNano: bigint
}
