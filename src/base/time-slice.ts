import { setImmediate as nextTurn } from 'node:timers/promises'

/** Keeps a long loop of synchronous steps from holding up everything else:
 *
 *    const slice = new TimeSlice()
 *    for (const one of many) {
 *      step(one)
 *      if (slice.isOver) await slice.renew()
 *    }
 *
 *  Synchronous file system calls in such a loop take a tenth of the time that asynchronous ones need for small files. */
export class TimeSlice {
  readonly #lengthMs: number
  #end: number

  /** `lengthMs`: how long the loop may run without a pause, in milliseconds. */
  constructor(lengthMs = 5) {
    this.#lengthMs = lengthMs
    this.#end = performance.now() + lengthMs
  }

  /** True when it is time for a pause. */
  get isOver(): boolean {
    return performance.now() > this.#end
  }

  /** Resolves when everything else that was ready has had its turn; a new slice begins then. */
  async renew(): Promise<void> {
    await nextTurn()
    this.#end = performance.now() + this.#lengthMs
  }
}
