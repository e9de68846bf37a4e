/** Resolves with true when `event` resolves within `ms` milliseconds, with false when it does not.
 *  If `event` rejects in time, rejects with its reason. Leaves no timer behind. */
export async function settlesWithin(event: Promise<unknown>, ms: number): Promise<boolean> {
  const { promise: timeout, resolve } = Promise.withResolvers<false>()
  const timer = setTimeout(resolve, ms, false)
  try {
    return await Promise.race([event.then(() => true), timeout])
  } finally {
    clearTimeout(timer)
  }
}
