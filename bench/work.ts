/** One row of the table. */
import type { Engine } from './engine.ts'
import type { Images } from './images.ts'

/** A task at which the engines are measured. `prepare`, `measure` and `tidy` run for each engine. */
export interface Work {
  /** The name for `--only`. */
  readonly key: string
  readonly title: string
  readonly unit: 'ms' | 'MB'
  /** The number of rounds, after a first one that is dropped. */
  readonly rounds: number
  /** The number of rounds with `--quick`. Default: a third. */
  readonly quickRounds?: number
  /** The largest allowed ratio of Berth to another engine. */
  readonly budget?: { readonly docker?: number; readonly podman?: number; readonly absolute?: number }
  /** Engines that are not measured at this work. */
  readonly without?: readonly string[]
  /** Runs once, before the first round. */
  prepare?(engine: Engine, images: Images): Promise<void>
  /** Takes one sample. */
  measure(engine: Engine, images: Images): Promise<number>
  /** Runs once, after the last round. */
  tidy?(engine: Engine): Promise<void>
}

/** The time of `run` in ms. */
export async function timed(run: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await run()
  return performance.now() - began
}
