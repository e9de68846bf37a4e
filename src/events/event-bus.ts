/** Distributes the events of the engine's objects, and keeps a short history.
 *  Delivery is synchronous and in order: the events of one container arrive in the order of its changes. */
import type { EventMessage, EventType } from '../api/index.ts'
import { nowNs } from '../base/index.ts'

/** Number of past events that are kept for `since`. */
const historyLimit = 1024

/** A stream ends when more events than this wait for its reader. */
const queueLimit = 8192

/** Publishes events to subscribers and streams. */
export class EventBus {
  readonly #history: EventMessage[] = []
  readonly #listeners = new Set<(event: EventMessage) => void>()
  #streams = 0

  /** Publishes an event with the present time. Attribute values are text. */
  publish(type: EventType, action: string, id: string, attributes: Readonly<Record<string, string>> = {}): void {
    const timeNano = nowNs()
    const event: EventMessage = Object.freeze({
      Type: type,
      Action: action,
      Actor: { ID: id, Attributes: attributes },
      scope: 'local',
      time: Number(timeNano / 1_000_000_000n),
      timeNano,
    })
    this.#history.push(event)
    if (this.#history.length > historyLimit) this.#history.shift()
    for (const listener of this.#listeners) listener(event)
  }

  /** Past events from `sinceNs` on (nanoseconds since the epoch), oldest first. */
  since(sinceNs: bigint): EventMessage[] {
    return this.#history.filter((event) => event.timeNano >= sinceNs)
  }

  /** Calls `listener` for each event from now on, until the returned function is called. */
  subscribe(listener: (event: EventMessage) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Number of streams that are being read. */
  get streamCount(): number {
    return this.#streams
  }

  /** Past events from `sinceNs` on (nanoseconds since the epoch), then live ones, until `untilNs` or until `signal`
   *  fires. Without both bounds, only live events. The subscription exists when this method returns. */
  stream(
    range: { readonly sinceNs?: bigint | undefined; readonly untilNs?: bigint | undefined },
    signal?: AbortSignal,
  ): AsyncIterable<EventMessage> {
    const { sinceNs, untilNs } = range
    const isPast = sinceNs !== undefined || untilNs !== undefined
    const queue: EventMessage[] = isPast ? this.since(sinceNs ?? 0n) : []
    let wake: () => void = () => {}
    let ended = false
    const end = (): void => {
      if (!ended) this.#streams -= 1
      ended = true
      unsubscribe()
      clearTimeout(timer)
      signal?.removeEventListener('abort', end)
      wake()
    }
    this.#streams += 1
    const unsubscribe = this.subscribe((event) => {
      queue.push(event)
      if (queue.length > queueLimit) end()
      wake()
    })
    const timer = untilNs === undefined ? undefined : setTimeout(end, Math.min(2 ** 31 - 1, msUntil(untilNs)))
    if (signal?.aborted === true) end()
    signal?.addEventListener('abort', end, { once: true })
    return drain()

    async function* drain(): AsyncGenerator<EventMessage> {
      try {
        for (;;) {
          for (let event = queue.shift(); event !== undefined; event = queue.shift()) {
            if (untilNs !== undefined && event.timeNano > untilNs) return
            yield event
          }
          if (ended) return
          await new Promise<void>((resolve) => {
            wake = resolve
          })
        }
      } finally {
        end()
      }
    }
  }
}

function msUntil(ns: bigint): number {
  return Math.max(0, Number(ns / 1_000_000n) - Date.now())
}
