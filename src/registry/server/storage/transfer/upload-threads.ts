/** Worker threads that read uploads from their connections and hash them, to keep the main thread free for requests.
 *  They start with the first large upload and end with `close`. They don't keep the process alive. */
import type { Worker } from 'node:worker_threads'
import { settlesWithin } from '../../../../base/index.ts'
import { duplicateFd, startWorker } from '../../../../sys/index.ts'
import type { ConnectionBody } from '../registry-storage.ts'
import { dataLoss } from '../storage-errors.ts'
import { BodyFault } from './body-fault.ts'
import type { HashTarget } from './file-hasher.ts'
import type { UploadReply, UploadRequest } from './upload-message.ts'

interface Member {
  readonly worker: Worker
  /** The uploads that this thread hashes. */
  readonly ids: Set<string>
  readonly waiting: Map<number, Waiting>
}

/** A request that waits for its reply. */
interface Waiting {
  readonly promise: PromiseWithResolvers<UploadReply>
  readonly onWritten?: (fileBytes: number) => void
}

export interface ReceiveOptions {
  /** The upload, with the file's size before the body. */
  readonly target: HashTarget
  /** Descriptor of the file, which must stay open until the call has settled. */
  readonly file: number
  readonly body: ConnectionBody
  /** Called now and then with the file's current size. */
  readonly onWritten: (fileBytes: number) => void
}

export interface ReceivedBody {
  readonly bodyBytes: number
  /** Bytes after the body. */
  readonly rest: Buffer
}

/** How long a thread may take to close its connections. */
const closeGraceMs = 2_000
/** Enough for a thread, which keeps two buffers and some numbers. */
const workerLimits = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 32 }

export class UploadThreads {
  readonly #size: number
  readonly #members: Member[] = []
  #number = 0

  constructor(size: number) {
    this.#size = size
  }

  /** Lets a thread hash a file up to `target.sizeBytes`. Returns at once. */
  advance(target: HashTarget): void {
    const member = this.#memberOf(target.id)
    member.ids.add(target.id)
    post(member, { type: 'advance', target })
  }

  /** Appends a body to a file and to its hash. Gives the body's size and the bytes after it. Rejects with a BodyFault
   *  or an error of the file. */
  async receive({ target, file, body, onWritten }: ReceiveOptions): Promise<ReceivedBody> {
    const { fd, head, sizeBytes, maxBytes, idleMs, signal } = body
    if (fd === undefined || signal.aborted) throw new BodyFault('gone')
    const member = this.#memberOf(target.id)
    member.ids.add(target.id)
    const source = { socket: duplicateFd(fd), head, bodyBytes: sizeBytes, maxBytes, idleMs }
    const [number, replied] = ask(member, this.#number++, onWritten)
    const cancel = () => post(member, { type: 'cancel', number })
    signal.addEventListener('abort', cancel)
    try {
      post(member, { type: 'receive', number, target, file, source })
      const reply = await replied
      if (reply.type !== 'received') throw receiveError(reply)
      const { bodyBytes, rest } = reply
      return { bodyBytes, rest: Buffer.from(rest.buffer, rest.byteOffset, rest.byteLength) }
    } finally {
      signal.removeEventListener('abort', cancel)
    }
  }

  /** Gives the hexadecimal hash of the whole file. Rejects with `dataLoss`. */
  async finish(target: HashTarget): Promise<string> {
    const member = this.#memberOf(target.id)
    member.ids.delete(target.id)
    const [number, replied] = ask(member, this.#number++)
    post(member, { type: 'finish', number, target })
    const reply = await replied
    if (reply.type === 'hashed') return reply.hex
    throw dataLoss(`hashing failed: ${reply.type === 'failed' ? reply.failure.message : reply.type}`)
  }

  /** Forgets an upload. */
  drop(id: string): void {
    for (const member of this.#members) if (member.ids.delete(id)) post(member, { type: 'drop', id })
  }

  /** Ends the threads. Their running work fails. Idempotent. */
  async close(): Promise<void> {
    const members = this.#members.splice(0)
    await Promise.all(members.map(endMember))
  }

  #memberOf(id: string): Member {
    const known = this.#members.find(({ ids }) => ids.has(id))
    if (known !== undefined) return known
    const idle = this.#members.find(({ ids, waiting }) => ids.size + waiting.size === 0)
    if (idle !== undefined) return idle
    if (this.#members.length < this.#size) return this.#start()
    return this.#members.reduce((least, member) => (load(member) < load(least) ? member : least))
  }

  #start(): Member {
    const worker = startWorker(new URL('./upload-worker.ts', import.meta.url), { resourceLimits: workerLimits })
    const member: Member = { worker, ids: new Set(), waiting: new Map() }
    this.#members.push(member)
    worker.unref()
    worker.on('message', (reply: UploadReply) => settle(member, reply))
    worker.on('error', (error: Error) => this.#lose(member, error))
    worker.on('exit', () => this.#lose(member, new Error('the thread of uploads ended')))
    return member
  }

  /** Forgets a thread that died. Another thread begins its hashes again. */
  #lose(member: Member, error: Error): void {
    const index = this.#members.indexOf(member)
    if (index !== -1) this.#members.splice(index, 1)
    for (const { promise } of member.waiting.values()) promise.reject(dataLoss('an upload failed', error))
    member.waiting.clear()
  }
}

async function endMember({ worker, waiting }: Member): Promise<void> {
  const connections = [...waiting].filter(([, { onWritten }]) => onWritten !== undefined)
  for (const [number] of connections) worker.postMessage({ type: 'cancel', number } satisfies UploadRequest)
  // Wait for the threads: one that ends before it has opened a connection's descriptor would never close it.
  await settlesWithin(Promise.allSettled(connections.map(([, { promise }]) => promise.promise)), closeGraceMs)
  await worker.terminate()
}

function load({ ids, waiting }: Member): number {
  return ids.size + waiting.size
}

function post({ worker }: Member, request: UploadRequest): void {
  worker.postMessage(request)
}

/** Registers a request, and gives its number and the promise of its reply. The process stays alive until then. */
function ask(member: Member, number: number, onWritten?: Waiting['onWritten']): [number, Promise<UploadReply>] {
  const promise = Promise.withResolvers<UploadReply>()
  member.waiting.set(number, { promise, ...(onWritten === undefined ? {} : { onWritten }) })
  member.worker.ref()
  return [number, promise.promise]
}

function settle(member: Member, reply: UploadReply): void {
  const waiting = member.waiting.get(reply.number)
  if (reply.type === 'written') {
    waiting?.onWritten?.(reply.fileBytes)
    return
  }
  member.waiting.delete(reply.number)
  if (member.waiting.size === 0) member.worker.unref()
  waiting?.promise.resolve(reply)
}

function receiveError(reply: UploadReply): Error {
  if (reply.type !== 'failed') return dataLoss(`a thread of uploads replied "${reply.type}"`)
  const { message, code, fault } = reply.failure
  if (fault !== undefined) return new BodyFault(fault)
  return Object.assign(new Error(message), code === undefined ? {} : { code })
}
