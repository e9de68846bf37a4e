/** Starts a timer; gives what cancels it. */
interface Timers {
  after(ms: number, callback: () => void): () => void
}

const hostTimers: Timers = {
  after(ms, callback) {
    const timer = setTimeout(callback, ms)
    return () => clearTimeout(timer)
  },
}

/** Whether `event` settles within `ms` milliseconds: true when it resolved in time, false when the time was over.
 *  Its rejection is passed on. No timer is left. `timers` are the host's unless others are given. */
export async function settlesWithin(event: Promise<unknown>, ms: number, timers = hostTimers): Promise<boolean> {
  const { promise: timeout, resolve } = Promise.withResolvers<false>()
  const cancel = timers.after(ms, () => resolve(false))
  try {
    return await Promise.race([event.then(() => true), timeout])
  } finally {
    cancel()
  }
}
