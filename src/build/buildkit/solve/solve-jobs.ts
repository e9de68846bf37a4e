/** The builds that clients have under way, by the names that the clients give them. */
import { invalidArgument, notFound } from '../../../base/index.ts'
import { Arrivals } from '../session/arrivals.ts'
import type { SolveJob } from './solve-job.ts'

/** Calls for a build may overtake the call that begins it. */
const waitMs = 6_000
/** And come after it is over. */
const keepMs = 3_000

export class SolveJobs {
  readonly #jobs = new Arrivals<SolveJob>()

  /** Throws `invalidArgument` when there is one of that name. */
  add(job: SolveJob): void {
    if (this.#jobs.has(job.ref)) throw invalidArgument(`job ID ${job.ref} exists`)
    this.#jobs.add(job.ref, job)
  }

  /** It is over. */
  remove(job: SolveJob): void {
    setTimeout(() => this.#jobs.remove(job.ref), keepMs).unref()
  }

  /** Throws `notFound` when there is none, nor will be in a moment. */
  async find(ref: string, signal: AbortSignal): Promise<SolveJob> {
    return await this.#jobs.find(ref, { signal, waitMs, missing: () => notFound(`no such job ${ref}`) })
  }
}
