/** The steps of a build as its clients are told of them. */
import type { BuildEvent } from '../../api/index.ts'
import { formatNs, messageOf, nowNs } from '../../base/index.ts'

/** A step that has begun. */
export interface Vertex {
  readonly id: string
  log(stream: 1 | 2, text: string): void
  cached(): void
  done(): void
  fail(error: unknown): void
}

export class Vertexes {
  readonly #emit: (event: BuildEvent) => void

  constructor(emit: (event: BuildEvent) => void) {
    this.#emit = emit
  }

  /** Tells of a step that is to come. */
  announce(
    id: string,
    name: string,
    more: { readonly stage?: string; readonly inputs?: readonly string[] } = {},
  ): void {
    this.#emit({ type: 'vertex', id, name, ...more })
  }

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
