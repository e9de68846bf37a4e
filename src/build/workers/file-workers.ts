/** Threads that write and hash many files. They start when there is work, and end after a while without any. */
import { statSync } from 'node:fs'
import type { Worker } from 'node:worker_threads'
import { BerthError, type ErrorKind, internal } from '../../base/index.ts'
import { startWorker } from '../../sys/index.ts'
import { type FileAnswer, type FileJob, type FileResult, runFileJob } from './file-worker.ts'

interface Task {
  readonly job: FileJob
  readonly resolve: (result: FileResult) => void
  readonly reject: (error: unknown) => void
}

interface Member {
  readonly worker: Worker
  task: Task | undefined
  idle: NodeJS.Timeout | undefined
}

const size = 2
const idleMs = 3_000
/** Jobs below these limits run on the main thread. That is faster than sending them to another thread. */
const inlineFiles = 40
const inlineBytes = 512 * 1024

const inlineHashes = 4

/** Runs jobs in parallel on up to a fixed number of threads, in the order they were given. */
export class FileWorkers {
  readonly #members = new Set<Member>()
  readonly #queue: Task[] = []

  /** Does one job. Throws the job's `BerthError`. */
  async run(job: FileJob): Promise<FileResult> {
    if (isSmall(job)) return await runFileJob(job)
    const { promise, resolve, reject } = Promise.withResolvers<FileResult>()
    this.#queue.push({ job, resolve, reject })
    this.#next()
    return await promise
  }

  /** Ends all threads. Running jobs fail. */
  async close(): Promise<void> {
    for (const task of this.#queue.splice(0)) task.reject(new BerthError('cancelled', 'context canceled'))
    await Promise.all([...this.#members].map(({ worker }) => worker.terminate()))
  }

  #next(): void {
    for (;;) {
      const [task] = this.#queue
      if (task === undefined) return
      const free = [...this.#members].find((member) => member.task === undefined)
      if (free === undefined && this.#members.size >= size) return
      this.#queue.shift()
      this.#give(free ?? this.#start(), task)
    }
  }

  #give(member: Member, task: Task): void {
    clearTimeout(member.idle)
    member.task = task
    member.worker.ref()
    member.worker.postMessage(task.job)
  }

  #start(): Member {
    const worker = startWorker(new URL('./file-worker.ts', import.meta.url))
    const member: Member = { worker, task: undefined, idle: undefined }
    this.#members.add(member)
    worker.on('message', (answer: FileAnswer) => {
      const { task } = member
      member.task = undefined
      worker.unref()
      member.idle = setTimeout(() => {
        this.#members.delete(member)
        void worker.terminate()
      }, idleMs).unref()
      if ('failure' in answer) task?.reject(new BerthError(answer.failure.kind as ErrorKind, answer.failure.message))
      else task?.resolve(answer)
      this.#next()
    })
    const lose = (error: unknown) => {
      this.#members.delete(member)
      member.task?.reject(error)
      member.task = undefined
      this.#next()
    }
    worker.on('error', lose)
    worker.on('exit', () => lose(internal('a file worker ended')))
    return member
  }
}

function isSmall(job: FileJob): boolean {
  if (job.kind === 'hash') return job.paths.length <= inlineHashes && sizeOf(job.paths) <= inlineBytes
  let bytes = 0
  let files = 0
  for (const { entries } of job.job.groups) {
    files += entries.length
    if (files > inlineFiles) return false
    for (const { source } of entries) {
      if (source?.kind === 'path') return false
      if (source?.kind === 'range') bytes += source.sizeBytes
    }
  }
  return bytes <= inlineBytes
}

/** Total size of the files, in bytes. A missing file counts as 0; it fails when it is hashed. */
function sizeOf(paths: readonly string[]): number {
  return paths.reduce((sum, path) => sum + (statSync(path, { throwIfNoEntry: false })?.size ?? 0), 0)
}
