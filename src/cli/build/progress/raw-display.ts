/** `--progress rawjson`: the builder's events for programs, one JSON object per line. */

import type { Output } from '../../terminal/output.ts'
import type { BuildDisplay } from './build-display.ts'
import type { BuildStatus } from './solve-status.ts'

/** Prints every event as JSON. */
export class RawDisplay implements BuildDisplay {
  readonly #output: Output

  constructor(output: Output) {
    this.#output = output
  }

  update(status: BuildStatus): void {
    this.#output.write(`${JSON.stringify(status)}\n`)
  }

  finish(): void {}
}
