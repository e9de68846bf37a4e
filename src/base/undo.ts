/** Rollback for work of several steps: each step registers how to take itself back; leaving the scope
 *  without `disarm()` runs these in reverse order. A step that fails to undo does not stop the others. */
export class Undo implements AsyncDisposable {
  #steps: (() => unknown)[] = []

  /** Registers the undoing of what was just done. */
  add(step: () => unknown): void {
    this.#steps.push(step)
  }

  /** Keeps everything: the work is complete. */
  disarm(): void {
    this.#steps = []
  }

  /** Undoes all in reverse order. Throws the errors of failed steps together, after all were tried. */
  async [Symbol.asyncDispose](): Promise<void> {
    const steps = this.#steps.reverse()
    this.#steps = []
    const errors: unknown[] = []
    for (const step of steps) {
      try {
        await step()
      } catch (error) {
        errors.push(error)
      }
    }
    if (errors.length > 0) throw new AggregateError(errors, 'undo failed')
  }
}
