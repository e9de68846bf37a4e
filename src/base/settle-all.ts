import { joinErrors } from './errors.ts'

/** Waits until all of `work` has settled. If some of it failed, rejects then with one AggregateError: `what` and the
 *  messages of all failures. */
export async function settleAll(what: string, work: readonly Promise<unknown>[]): Promise<void> {
  const results = await Promise.allSettled(work)
  const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
  if (failures.length > 0) throw joinErrors(what, failures)
}
