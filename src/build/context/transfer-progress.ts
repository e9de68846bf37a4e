/** Reports to the client how much of a context was transferred. The daemon requests files several times; clients see
 *  one step. */
import type { BuildEvent } from '../../api/index.ts'
import { formatNs, nowNs } from '../../base/index.ts'

const tellEveryMs = 200

/** Counts the bytes of one context's transfers. */
export class TransferProgress {
  readonly #id: string
  readonly #name: string
  readonly #emit: (event: BuildEvent) => void
  #started: string | undefined
  #running = 0
  #sizeBytes = 0
  #toldMs = 0

  /** `context` is the name of the context; the build's own is `context`. */
  constructor(context: string, emit: (event: BuildEvent) => void) {
    this.#id = `load ${context}`
    this.#name = context === 'context' ? '[internal] load build context' : `[context ${context}] load`
    this.#emit = emit
  }

  /** Passes bytes on and counts them. */
  async *counted(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
    using _shown = this.begin()
    for await (const chunk of source) {
      this.add(chunk.length)
      yield chunk
    }
  }

  /** Marks a transfer as running until the result is disposed of. */
  begin(): Disposable {
    this.#started ??= formatNs(nowNs())
    this.#running += 1
    this.#vertex()
    return {
      [Symbol.dispose]: () => {
        this.#running -= 1
        this.#status()
        this.#vertex()
      },
    }
  }

  /** Adds transferred bytes. */
  add(count: number): void {
    this.#sizeBytes += count
    if (Date.now() - this.#toldMs > tellEveryMs) this.#status()
  }

  #vertex(): void {
    const started = this.#started === undefined ? {} : { started: this.#started }
    this.#emit({ type: 'vertex', id: this.#id, name: this.#name, ...started, ...this.#completed() })
  }

  #status(): void {
    this.#toldMs = Date.now()
    const started = this.#started === undefined ? {} : { started: this.#started }
    const what = { type: 'status', vertex: this.#id, id: 'transferring context:', current: this.#sizeBytes } as const
    this.#emit({ ...what, ...started, ...this.#completed() })
  }

  #completed(): { readonly completed?: string } {
    return this.#running > 0 ? {} : { completed: formatNs(nowNs()) }
  }
}
