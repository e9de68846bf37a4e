/** The worker thread that writes files and hashes them. One job at a time. */
import { parentPort } from 'node:worker_threads'
import { isBerthError, messageOf } from '../../base/index.ts'
import { hashFiles } from './hash-files.ts'
import { writeFiles } from './write-files.ts'
import type { WriteJob } from './write-job.ts'

/** What the thread is asked for. */
export type FileJob =
  | { readonly kind: 'write'; readonly job: WriteJob }
  | { readonly kind: 'hash'; readonly paths: readonly string[] }

/** What it answers. */
export type FileAnswer =
  | { readonly digests?: readonly string[] }
  | { readonly failure: { readonly kind: string; readonly message: string } }

/** Does one job on the calling thread. */
export function runFileJob(job: FileJob): readonly string[] {
  if (job.kind === 'hash') return hashFiles(job.paths)
  writeFiles(job.job)
  return []
}

parentPort?.on('message', (job: FileJob) => {
  try {
    parentPort?.postMessage({ digests: runFileJob(job) } satisfies FileAnswer)
  } catch (error) {
    const kind = isBerthError(error) ? error.kind : 'internal'
    parentPort?.postMessage({ failure: { kind, message: messageOf(error) } } satisfies FileAnswer)
  }
})
