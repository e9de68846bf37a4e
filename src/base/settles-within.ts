/** Whether `event` settles within `ms` milliseconds: true when it resolved in time, false when the time was over.
 *  Its rejection is passed on. No timer is left. */
export async function settlesWithin(event: Promise<unknown>, ms: number): Promise<boolean> {
  const { promise: timeout, resolve } = Promise.withResolvers<false>()
  const timer = setTimeout(resolve, ms, false)
  try {
    return await Promise.race([event.then(() => true), timeout])
  } finally {
    clearTimeout(timer)
  }
}
