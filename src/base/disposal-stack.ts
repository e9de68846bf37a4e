/** Closes the parts of a long-lived object in the reverse order of their making. Each part registers how it is
 *  closed as soon as it is open, so a part is closed before those that it uses. A part that fails or never finishes
 *  does not keep the others open. Node's own AsyncDisposableStack has no names for the log, and it waits without a
 *  limit. */
import { messageOf } from './errors.ts'
import type { Logger } from './logger.ts'
import { settlesWithin } from './settles-within.ts'
import { Undo } from './undo.ts'

/** Where failures are logged, and how long a part may take. */
export interface DisposalStackOptions {
  /** Receives one line for each part that was not closed. */
  readonly logger: Logger
  /** How long to wait for one part to close, in milliseconds. After that, its closing goes on in the background. */
  readonly limitMs: number
}

/** The parts of one object. A second `dispose` gives the result of the first. */
export class DisposalStack {
  readonly #options: DisposalStackOptions
  readonly #undo = new Undo()
  #disposal: Promise<readonly unknown[]> | undefined

  constructor(options: DisposalStackOptions) {
    this.#options = options
  }

  /** Registers a part that was just opened. `name` is for the log. `close` may return a promise. */
  add(name: string, close: () => unknown): void {
    this.#undo.add(() => this.#close(name, close, this.#options.limitMs))
  }

  /** Registers a part whose `close` bounds its own time: it is awaited without a limit. */
  addUnlimited(name: string, close: () => unknown): void {
    this.#undo.add(() => this.#close(name, close, undefined))
  }

  /** Closes all parts, the last one first. Resolves with one error for each part that was not closed; each is also
   *  logged. Never rejects. Every call gives the same promise. */
  dispose(): Promise<readonly unknown[]> {
    this.#disposal ??= this.#undo.run()
    return this.#disposal
  }

  async #close(name: string, close: () => unknown, limitMs: number | undefined): Promise<void> {
    try {
      const closed = Promise.try(close)
      if (limitMs === undefined) await closed
      else if (!(await settlesWithin(closed, limitMs))) throw new Error(`not done after ${limitMs / 1000} s`)
    } catch (cause) {
      this.#options.logger.error('not closed', { part: name, error: cause })
      throw new Error(`${name}: ${messageOf(cause)}`, { cause })
    }
  }
}
