import { joinErrors } from './errors.ts'

/** Waits until all of `work` has settled. If any of it failed, rejects with one AggregateError, whose message is `what`
 *  and the messages of all failures. */
export async function settleAll(what: string, work: readonly Promise<unknown>[]): Promise<void> {
  const results = await Promise.allSettled(work)
  const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
  if (failures.length > 0) throw joinErrors(what, failures)
}
