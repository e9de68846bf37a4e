import type { BuildStatus } from './solve-status.ts'

/** Shows how a build goes on. */
export interface BuildDisplay {
  update(status: BuildStatus): void
  /** Nothing more will come. `failed`: the logs of the steps that failed are of interest. */
  finish(options: { readonly failed: boolean }): void
}
