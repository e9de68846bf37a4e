/** Time as the verbs of containers see it: the time now, and timers. Tests let a clock of their own decide which timer
 *  fires when. */
import { nowNs } from '../../base/index.ts'

/** Timers that can be taken back. */
export interface Timers {
  /** Calls `callback` once, `ms` milliseconds from now. Gives what cancels it; canceling twice, or too late, does
   *  nothing. With `background` the timer does not keep the process alive. */
  after(ms: number, callback: () => void, options?: { readonly background?: boolean }): () => void
}

export interface Clock extends Timers {
  /** Nanoseconds since the epoch; never goes back. */
  nowNs(): bigint
}

/** The host's clock. */
export const hostClock: Clock = {
  nowNs,
  after(ms, callback, { background = false } = {}) {
    const timer = setTimeout(callback, ms)
    if (background) timer.unref()
    return () => clearTimeout(timer)
  },
}
