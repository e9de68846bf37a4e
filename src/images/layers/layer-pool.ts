/** The worker threads for layers. They start when there is work and end after a while without any, so that an idle
 *  daemon does not keep their memory. */
import type { Worker } from 'node:worker_threads'
import { type AbortOptions, BerthError, internal } from '../../base/index.ts'
import type { BlobAuthorizer, BlobProblem } from '../../registry/client/index.ts'
import { releaseMemory, startWorker } from '../../sys/index.ts'
import {
  fromSentError,
  type LayerJob,
  type LayerJobProgress,
  type LayerResult,
  type MessageFromWorker,
  type MessageToWorker,
  toSentError,
} from './layer-job.ts'
import { runLayerJob } from './run-layer-job.ts'

/** Size and timing of the pool. */
export interface LayerPoolOptions {
  readonly size: number
  readonly idleMs?: number
  /** Layers up to this size are processed on the main thread, because starting a worker takes longer. */
  readonly inlineBytes?: number
}

/** How to run a job. */
export interface RunLayerOptions extends AbortOptions {
  readonly authorize?: BlobAuthorizer
  readonly onProgress?: (progress: LayerJobProgress) => void
  /** Called when the job starts. */
  readonly onStart?: () => void
}

interface Task {
  readonly job: LayerJob
  readonly options: RunLayerOptions
  readonly isInline: boolean
  readonly resolve: (result: LayerResult) => void
  readonly reject: (error: unknown) => void
}

interface Member {
  readonly worker: Worker
  task: Task | undefined
  idleTimer: NodeJS.Timeout | undefined
}

type SourceKind = LayerJob['source']['from']

/** Packing jobs have their own slots, because a paused container may wait for one. */
const packers = 2

/** Runs layer jobs side by side, in the order they came. Downloads and archives have `size` slots each, so that a slow
 *  network does not delay archives, nor a slow client downloads. */
export class LayerPool {
  #options: Required<LayerPoolOptions>
  readonly #members = new Set<Member>()
  readonly #queue: Task[] = []
  /** Number of jobs that run on the main thread. */
  #inline = 0

  constructor(options: LayerPoolOptions) {
    this.#options = { idleMs: 3_000, inlineBytes: 256 * 1024, ...options }
  }

  /** Runs one job and returns its result. Throws `cancelled` when the signal fires or the pool closes. */
  async run(job: LayerJob, options: RunLayerOptions = {}): Promise<LayerResult> {
    const { source } = job
    const isSmall = source.sizeBytes <= this.#options.inlineBytes
    const isInline = isSmall && !(source.from === 'file' && source.growth !== undefined)
    // Only downloads take turns. Local sources start at once.
    if (isInline && source.from !== 'registry') {
      options.onStart?.()
      return await runInline(job, options)
    }
    const { promise, resolve, reject } = Promise.withResolvers<LayerResult>()
    const task: Task = { job, options, isInline, resolve, reject }
    const { signal } = options
    const onAbort = () => this.#cancel(task)
    signal?.addEventListener('abort', onAbort, { once: true })
    this.#queue.push(task)
    if (signal?.aborted === true) this.#cancel(task)
    this.#next()
    try {
      return await promise
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  /** Changes the number of slots; running jobs go on. */
  resize(size: number): void {
    this.#options = { ...this.#options, size }
    this.#next()
  }

  /** Ends all workers; their jobs fail. */
  async close(): Promise<void> {
    for (const task of this.#queue.splice(0)) task.reject(cancelled())
    await Promise.all([...this.#members].map(({ worker }) => worker.terminate()))
  }

  #next(): void {
    for (const task of [...this.#queue]) {
      const kind = task.job.source.from
      if (this.#running(kind) >= (kind === 'directory' ? packers : this.#options.size)) continue
      this.#queue.splice(this.#queue.indexOf(task), 1)
      if (task.isInline) void this.#runHere(task)
      else this.#give([...this.#members].find((member) => member.task === undefined) ?? this.#start(), task)
    }
  }

  /** Number of running jobs of a kind. Of the jobs on the main thread, only downloads are queued. */
  #running(kind: SourceKind): number {
    const members = [...this.#members].filter(({ task }) => task?.job.source.from === kind)
    return members.length + (kind === 'registry' ? this.#inline : 0)
  }

  async #runHere({ job, options, resolve, reject }: Task): Promise<void> {
    this.#inline += 1
    try {
      options.onStart?.()
      resolve(await runInline(job, options))
    } catch (error) {
      reject(error)
    } finally {
      this.#inline -= 1
      this.#next()
    }
  }

  #start(): Member {
    const worker = startWorker(new URL('./layer-worker.ts', import.meta.url))
    const member: Member = { worker, task: undefined, idleTimer: undefined }
    this.#members.add(member)
    worker.on('message', (message: MessageFromWorker) => this.#receive(member, message))
    worker.on('error', (error) => this.#lose(member, error))
    worker.on('exit', () => this.#lose(member, internal('layer worker ended')))
    return member
  }

  #give(member: Member, task: Task): void {
    clearTimeout(member.idleTimer)
    member.task = task
    member.worker.ref()
    task.options.onStart?.()
    post(member, { type: 'run', job: task.job })
  }

  #receive(member: Member, message: MessageFromWorker): void {
    const { task } = member
    if (task === undefined) return
    if (message.type === 'progress') task.options.onProgress?.(message.progress)
    else if (message.type === 'authorize') void authorize(member, task, message.problem)
    else {
      member.task = undefined
      this.#rest(member)
      if (message.type === 'done') task.resolve(message.result)
      else task.reject(fromSentError(message.error))
      this.#next()
    }
  }

  #rest(member: Member): void {
    // An idle worker does not keep the process alive, and ends after a while to free its memory.
    member.worker.unref()
    member.idleTimer = setTimeout(() => void this.#retire(member), this.#options.idleMs).unref()
  }

  /** Ends an idle worker. After the last one, the memory of the whole burst returns to the system. */
  async #retire(member: Member): Promise<void> {
    this.#members.delete(member)
    await member.worker.terminate()
    if (this.#members.size === 0) await releaseMemory()
  }

  #lose(member: Member, error: unknown): void {
    clearTimeout(member.idleTimer)
    this.#members.delete(member)
    member.task?.reject(error)
    member.task = undefined
    this.#next()
  }

  #cancel(task: Task): void {
    const at = this.#queue.indexOf(task)
    if (at !== -1) this.#queue.splice(at, 1)[0]?.reject(cancelled())
    for (const member of this.#members) if (member.task === task) post(member, { type: 'cancel' })
  }
}

async function runInline(job: LayerJob, options: RunLayerOptions): Promise<LayerResult> {
  return await runLayerJob(job, {
    authorize: async (problem) => await demandAuthorize(options)(problem),
    onProgress: (progress) => options.onProgress?.(progress),
    signal: options.signal ?? new AbortController().signal,
  })
}

async function authorize(member: Member, task: Task, problem: BlobProblem | undefined): Promise<void> {
  try {
    post(member, { type: 'authorized', request: await demandAuthorize(task.options)(problem) })
  } catch (error) {
    post(member, { type: 'notAuthorized', error: toSentError(error) })
  }
}

function demandAuthorize({ authorize: give }: RunLayerOptions): BlobAuthorizer {
  if (give === undefined) throw internal('a layer from a registry needs a way to authorize')
  return give
}

function post({ worker }: Member, message: MessageToWorker): void {
  worker.postMessage(message)
}

function cancelled(): BerthError {
  return new BerthError('cancelled', 'context canceled')
}
