/** All or nothing for work of several steps. Each step registers how to take back what it did. These actions run in
 *  reverse order if the work fails (`undoOnFailure`), or in any case (`cleanUpAfter`).
 *  The caller always gets the error of the work. Failures of the actions are logged and attached to that error; an
 *  `await using` would throw them in its place. */
import { joinErrors, messageOf } from './errors.ts'
import type { Logger } from './logger.ts'

/** Collects the actions that take work back. */
export class Undo {
  #actions: (() => unknown)[] = []

  /** Registers how to take back what was just done. The action may return a promise, which is awaited. */
  add(action: () => unknown): void {
    this.#actions.push(action)
  }

  /** Runs the registered actions, the last one first, each of them once. An action that fails does not stop the others.
   *  Resolves with what they threw; never rejects. */
  async run(): Promise<readonly unknown[]> {
    const failures: unknown[] = []
    for (let action = this.#actions.pop(); action !== undefined; action = this.#actions.pop()) {
      try {
        await action()
      } catch (failure) {
        failures.push(failure)
      }
    }
    return failures
  }
}

/** Runs `work` and gives its result. If `work` fails, runs the actions that it registered and throws its error. The
 *  failures of these actions are in that error's property `undoFailures`. */
export async function undoOnFailure<T>(logger: Logger, work: (undo: Undo) => Promise<T>): Promise<T> {
  return await runGuarded(logger, new Undo(), work)
}

/** Runs `work`, and afterwards the actions that it registered, whether it failed or not. Throws the error of `work` as
 *  `undoOnFailure` does. If only the clean-up fails, throws an AggregateError of its failures. */
export async function cleanUpAfter<T>(logger: Logger, work: (cleanUp: Undo) => Promise<T>): Promise<T> {
  const cleanUp = new Undo()
  const result = await runGuarded(logger, cleanUp, work)
  const failures = await cleanUp.run()
  if (failures.length > 0) throw joinErrors('clean-up failed', failures)
  return result
}

/** Attaches the failures of an undo to the error before it, behind those attached earlier. */
export function attachUndoFailures(error: unknown, failures: readonly unknown[]): void {
  if (failures.length === 0 || !(error instanceof Error) || !Object.isExtensible(error)) return
  const { undoFailures: earlier = [] } = error as { undoFailures?: readonly unknown[] }
  Object.assign(error, { undoFailures: [...earlier, ...failures] })
}

async function runGuarded<T>(logger: Logger, undo: Undo, work: (undo: Undo) => Promise<T>): Promise<T> {
  try {
    return await work(undo)
  } catch (error) {
    const failures = await undo.run()
    for (const failure of failures) logger.error('undo failed', { error: failure, after: messageOf(error) })
    attachUndoFailures(error, failures)
    throw error
  }
}
