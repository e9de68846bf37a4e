import type { BuildStatus } from './solve-status.ts'

/** Shows the progress of a build. */
export interface BuildDisplay {
  update(status: BuildStatus): void
  /** Ends the display. `failed`: also show the logs of the steps that failed. */
  finish(options: { readonly failed: boolean }): void
}
