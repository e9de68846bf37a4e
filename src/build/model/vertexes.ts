/** The steps of a build as events for its clients. A vertex is BuildKit's name for a step. */
import type { BuildEvent } from '../../api/index.ts'
import { formatNs, messageOf, nowNs } from '../../base/index.ts'

/** A step that has started. */
export interface Vertex {
  readonly id: string
  /** Reports output of the step. Stream 1 is stdout, 2 is stderr. */
  log(stream: 1 | 2, text: string): void
  /** Ends the step: its result came from the cache. */
  cached(): void
  /** Ends the step: it succeeded. */
  done(): void
  /** Ends the step: it failed. */
  fail(error: unknown): void
}

/** Reports the steps of one build. */
export class Vertexes {
  readonly #emit: (event: BuildEvent) => void

  constructor(emit: (event: BuildEvent) => void) {
    this.#emit = emit
  }

  /** Reports a step that will start later, so that clients can show it. */
  announce(
    id: string,
    name: string,
    more: { readonly stage?: string; readonly inputs?: readonly string[] } = {},
  ): void {
    this.#emit({ type: 'vertex', id, name, ...more })
  }

  /** Reports that a step starts. `id` is unique in the build; clients show `name`. */
  begin(id: string, name: string): Vertex {
    const started = formatNs(nowNs())
    this.#emit({ type: 'vertex', id, name, started })
    const end = (more: { readonly cached?: true; readonly error?: string }) =>
      this.#emit({ type: 'vertex', id, name, started, completed: formatNs(nowNs()), ...more })
    return {
      id,
      log: (stream, text) => this.#emit({ type: 'log', vertex: id, stream, text }),
      cached: () => end({ cached: true }),
      done: () => end({}),
      fail: (error) => end({ error: messageOf(error) }),
    }
  }
}
