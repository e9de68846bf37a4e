/** Time as the verbs of containers use it: the current time, and timers. Tests supply a clock that decides which timer
 *  fires when. */
import { nowNs } from '../../base/index.ts'

/** Timers that can be canceled. */
export interface Timers {
  /** Calls `callback` once, `ms` milliseconds from now. Gives a function that cancels the timer; it does nothing if the
   *  timer has fired or is canceled already. With `background` the timer does not keep the process alive. */
  after(ms: number, callback: () => void, options?: { readonly background?: boolean }): () => void
}

/** The current time, and timers. */
export interface Clock extends Timers {
  /** Nanoseconds since the epoch; never goes back. */
  nowNs(): bigint
}

/** The host's clock and Node's timers. */
export const hostClock: Clock = {
  nowNs,
  after(ms, callback, { background = false } = {}) {
    const timer = setTimeout(callback, ms)
    if (background) timer.unref()
    return () => clearTimeout(timer)
  },
}
