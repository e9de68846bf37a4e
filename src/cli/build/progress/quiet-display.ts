/** `--quiet` and `--progress quiet`: prints nothing but the logs of failed steps. */

import type { Output } from '../../terminal/output.ts'
import type { BuildDisplay } from './build-display.ts'
import { BuildSteps } from './build-steps.ts'
import type { BuildStatus } from './solve-status.ts'
import { failureLogs } from './step-text.ts'

/** Prints only the logs of failed steps. */
export class QuietDisplay implements BuildDisplay {
  readonly #output: Output
  readonly #steps = new BuildSteps()

  constructor(output: Output) {
    this.#output = output
  }

  update(status: BuildStatus): void {
    this.#steps.update(status)
  }

  finish({ failed }: { readonly failed: boolean }): void {
    if (failed) this.#output.write(failureLogs(this.#steps.all))
  }
}
