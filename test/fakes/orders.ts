/** Goes through the orders in which the steps of a test can happen: all of them if there are few, else so many by chance
 *  (with seeds, so that each can be had again). */
import { Random } from '../helpers/random.ts'
import type { Choose } from './scheduler.ts'

export interface Orders {
  readonly count: number
  /** Every order was tried. */
  readonly isComplete: boolean
}

/** Calls `run` once for each order, up to `limit` times; half of the limit is for the systematic search. The error of a
 *  run is thrown with what it takes to repeat it. */
export async function eachOrder(limit: number, run: (choose: Choose) => Promise<void>): Promise<Orders> {
  let path: { chosen: number; options: number }[] = []
  let count = 0
  for (; count < Math.ceil(limit / 2); count += 1) {
    let depth = 0
    const taken = path
    await named(`order ${path.map(({ chosen }) => chosen).join('.')}`, () =>
      run((options) => {
        const known = taken[depth]
        depth += 1
        if (known !== undefined) return known.chosen
        taken.push({ chosen: 0, options })
        return 0
      }),
    )
    path = nextPath(taken)
    if (path.length === 0) return { count: count + 1, isComplete: true }
  }
  for (let seed = 1; count < limit; seed += 1, count += 1) {
    const random = new Random(seed)
    await named(`seed ${seed}`, () => run((options) => random.below(options)))
  }
  return { count, isComplete: false }
}

/** The path whose last step that has another choice takes it; empty when there is none. */
function nextPath(path: readonly { chosen: number; options: number }[]): { chosen: number; options: number }[] {
  const last = path.findLastIndex(({ chosen, options }) => chosen + 1 < options)
  const step = path[last]
  return step === undefined ? [] : [...path.slice(0, last), { ...step, chosen: step.chosen + 1 }]
}

async function named(name: string, run: () => Promise<void>): Promise<void> {
  try {
    await run()
  } catch (cause) {
    throw new Error(`${name}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}
