/** Worker threads that take uploads from their connections and hash them, so that the thread which answers requests
 *  doesn't. Started with the first big upload, ended by `close`; they don't keep the process alive. */
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
  /** Uploads it hashes. */
  readonly ids: Set<string>
  readonly waiting: Map<number, Waiting>
}

/** Who waits for a reply. */
interface Waiting {
  readonly promise: PromiseWithResolvers<UploadReply>
  readonly onWritten?: (fileBytes: number) => void
}

export interface ReceiveOptions {
  /** The upload, and the file's size before. */
  readonly target: HashTarget
  /** Descriptor of the file; it must stay open until this has settled. */
  readonly file: number
  readonly body: ConnectionBody
  /** Hears now and then how large the file has become. */
  readonly onWritten: (fileBytes: number) => void
}

export interface ReceivedBody {
  readonly bodyBytes: number
  /** What came behind the body. */
  readonly rest: Buffer
}

/** How long a thread may take to let go of its connections. */
const closeGraceMs = 2_000
/** It keeps two buffers and some numbers. */
const workerLimits = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 32 }

export class UploadThreads {
  readonly #size: number
  readonly #members: Member[] = []
  #number = 0

  constructor(size: number) {
    this.#size = size
  }

  /** Lets a thread hash on. Returns at once. */
  advance(target: HashTarget): void {
    const member = this.#memberOf(target.id)
    member.ids.add(target.id)
    post(member, { type: 'advance', target })
  }

  /** Adds a body to a file, and to its hash; gives how many bytes it had, and what came behind it. Rejects with a
   *  BodyFault or the file's error. */
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

  /** The hexadecimal hash of the whole file. */
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

  /** Ends the threads; what they do fails. Idempotent. */
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

  /** A thread that died takes its running hashes along; the next one starts them anew. */
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
  // A thread that is ended before it has taken a connection would never close it.
  await settlesWithin(Promise.allSettled(connections.map(([, { promise }]) => promise.promise)), closeGraceMs)
  await worker.terminate()
}

function load({ ids, waiting }: Member): number {
  return ids.size + waiting.size
}

function post({ worker }: Member, request: UploadRequest): void {
  worker.postMessage(request)
}

/** Awaits the reply to a request of that number, which keeps the process alive. */
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
