/** Runs `work` and returns how many turns the event loop made meanwhile: none if all of it was synchronous. */
export async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
  let turns = 0
  let next = setImmediate(function count() {
    turns += 1
    next = setImmediate(count)
  })
  try {
    await work()
    return turns
  } finally {
    clearImmediate(next)
  }
}
