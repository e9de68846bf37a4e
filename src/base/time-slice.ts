import { setImmediate as nextTurn } from 'node:timers/promises'

/** Keeps a long loop of synchronous steps from holding up everything else:
 *
 *    const slice = new TimeSlice()
 *    for (const one of many) {
 *      step(one)
 *      if (slice.isOver) await slice.renew()
 *    }
 *
 *  For small files, synchronous file system calls in such a loop take a tenth of the time of asynchronous ones. */
export class TimeSlice {
  readonly #lengthMs: number
  #end: number

  /** `lengthMs`: how long the loop may run without a pause. */
  constructor(lengthMs = 5) {
    this.#lengthMs = lengthMs
    this.#end = performance.now() + lengthMs
  }

  /** True when the loop should pause. */
  get isOver(): boolean {
    return performance.now() > this.#end
  }

  /** Lets everything else that is ready run, then begins a new slice. */
  async renew(): Promise<void> {
    await nextTurn()
    this.#end = performance.now() + this.#lengthMs
  }
}
