/** What a long-lived object consists of, in the order in which it was made: each part registers how it is closed as soon
 *  as it is open, and all are closed in reverse order, so a part is closed before those that it uses.
 *  One part that fails, or never ends, keeps no other one open. Node's own AsyncDisposableStack has no names for the log
 *  and waits without a limit. */
import { messageOf } from './errors.ts'
import type { Logger } from './logger.ts'
import { settlesWithin } from './settles-within.ts'
import { Undo } from './undo.ts'

export interface DisposalStackOptions {
  /** Gets a line for each part that was not closed. */
  readonly logger: Logger
  /** How long the closing of one part may take, in milliseconds. It is not waited for any longer. */
  readonly limitMs: number
}

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

  /** Registers a part whose closing limits its time itself. */
  addUnlimited(name: string, close: () => unknown): void {
    this.#undo.add(() => this.#close(name, close, undefined))
  }

  /** Closes all parts, the last one first, and resolves with an error for each that was not closed; these are logged.
   *  Never rejects. Called again, gives the same result. */
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
