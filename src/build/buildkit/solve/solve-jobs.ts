/** The running jobs of all clients, by the clients' names for them. */
import { invalidArgument, notFound } from '../../../base/index.ts'
import { Arrivals } from '../session/arrivals.ts'
import type { SolveJob } from './solve-job.ts'

/** A call for a job may arrive before the call that starts it. */
const waitMs = 6_000
/** A call may also arrive after the job has ended. */
const keepMs = 3_000

/** Jobs by name. */
export class SolveJobs {
  readonly #jobs = new Arrivals<SolveJob>()

  /** Adds a job. Throws `invalidArgument` when the name is taken. */
  add(job: SolveJob): void {
    if (this.#jobs.has(job.ref)) throw invalidArgument(`job ID ${job.ref} exists`)
    this.#jobs.add(job.ref, job)
  }

  /** Removes a job that has ended, after a delay. */
  remove(job: SolveJob): void {
    setTimeout(() => this.#jobs.remove(job.ref), keepMs).unref()
  }

  /** Gives the job, and waits a moment for one that is about to start. Throws `notFound`. */
  async find(ref: string, signal: AbortSignal): Promise<SolveJob> {
    return await this.#jobs.find(ref, { signal, waitMs, missing: () => notFound(`no such job ${ref}`) })
  }
}
