/** What one row of the table is. */
import type { Engine } from './engine.ts'
import type { Images } from './images.ts'

/** A work that engines are measured at. `prepare`, `measure` and `tidy` run for each engine. */
export interface Work {
  /** For `--only`. */
  readonly key: string
  readonly title: string
  readonly unit: 'ms' | 'MB'
  /** Rounds after one that is thrown away. */
  readonly rounds: number
  /** With `--quick`. Default: a third. */
  readonly quickRounds?: number
  /** Largest ratio that DESIGN's budgets allow: Berth against another engine. */
  readonly budget?: { readonly docker?: number; readonly podman?: number; readonly absolute?: number }
  /** Engines that are not measured at this. */
  readonly without?: readonly string[]
  /** Once, before the first round. */
  prepare?(engine: Engine, images: Images): Promise<void>
  /** One sample. */
  measure(engine: Engine, images: Images): Promise<number>
  /** Once, after the last round. */
  tidy?(engine: Engine): Promise<void>
}

/** The time of `run` in ms. */
export async function timed(run: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await run()
  return performance.now() - began
}
