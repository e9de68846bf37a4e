/** The worker thread that writes, packs and hashes files. It does one job at a time. */
import { parentPort } from 'node:worker_threads'
import { isBerthError, messageOf } from '../../base/index.ts'
import { hashFiles } from './hash-files.ts'
import { packLayer } from './pack-layer.ts'
import { writeFiles } from './write-files.ts'
import type { WriteJob } from './write-job.ts'

/** A job for the thread. */
export type FileJob =
  | { readonly kind: 'write'; readonly job: WriteJob }
  | { readonly kind: 'hash'; readonly paths: readonly string[] }

/** The result. For `hash`: the digests. For `write`: the bytes written, and the packed layer if one was asked for. */
export interface FileResult {
  readonly digests?: readonly string[]
  readonly writtenBytes?: number
  readonly packed?: { readonly sha256: string; readonly sizeBytes: number }
}

/** The thread's answer to a job. */
export type FileAnswer = FileResult | { readonly failure: { readonly kind: string; readonly message: string } }

/** Does one job on the calling thread. */
export async function runFileJob(job: FileJob): Promise<FileResult> {
  if (job.kind === 'hash') return { digests: hashFiles(job.paths) }
  const writtenBytes = writeFiles(job.job)
  const { upper, packInto } = job.job
  if (upper === undefined || packInto === undefined) return { writtenBytes }
  return { writtenBytes, packed: await packLayer(upper, packInto) }
}

parentPort?.on('message', (job: FileJob) => {
  const answer = (value: FileAnswer) => parentPort?.postMessage(value)
  runFileJob(job).then(answer, (error: unknown) =>
    answer({ failure: { kind: isBerthError(error) ? error.kind : 'internal', message: messageOf(error) } }),
  )
})
