/** Worker threads that hash uploads while these arrive, so that the thread which serves sockets doesn't. Started
 *  with the first big upload, ended by `close`; they don't keep the process alive. */
import { Worker } from 'node:worker_threads'
import type { HashTarget } from './file-hasher.ts'
import type { HashReply, HashRequest } from './hash-message.ts'
import { dataLoss } from './storage-errors.ts'

interface Member {
  readonly worker: Worker
  /** Uploads it hashes. */
  readonly ids: Set<string>
  readonly waiting: Map<number, PromiseWithResolvers<string>>
}

/** It keeps a buffer and some numbers. */
const workerLimits = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 32 }

export class HashPool {
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

  /** The hexadecimal hash of the whole file. */
  async finish(target: HashTarget): Promise<string> {
    const member = this.#memberOf(target.id)
    member.ids.delete(target.id)
    const number = this.#number++
    const reply = Promise.withResolvers<string>()
    member.waiting.set(number, reply)
    member.worker.ref()
    post(member, { type: 'finish', number, target })
    return await reply.promise
  }

  /** Forgets an upload. */
  drop(id: string): void {
    for (const member of this.#members) if (member.ids.delete(id)) post(member, { type: 'drop', id })
  }

  /** Ends the threads; hashes under way fail. Idempotent. */
  async close(): Promise<void> {
    const members = this.#members.splice(0)
    await Promise.all(members.map(({ worker }) => worker.terminate()))
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
    const worker = new Worker(new URL('./hash-worker.ts', import.meta.url), { resourceLimits: workerLimits })
    const member: Member = { worker, ids: new Set(), waiting: new Map() }
    this.#members.push(member)
    worker.unref()
    worker.on('message', (reply: HashReply) => settle(member, reply))
    worker.on('error', (error: Error) => this.#lose(member, error))
    worker.on('exit', () => this.#lose(member, new Error('the hashing thread ended')))
    return member
  }

  /** A thread that died takes its running hashes along; the next one starts them anew. */
  #lose(member: Member, error: Error): void {
    const index = this.#members.indexOf(member)
    if (index !== -1) this.#members.splice(index, 1)
    for (const { reject } of member.waiting.values()) reject(dataLoss('hashing failed', error))
    member.waiting.clear()
  }
}

function load({ ids, waiting }: Member): number {
  return ids.size + waiting.size
}

function post({ worker }: Member, request: HashRequest): void {
  worker.postMessage(request)
}

function settle(member: Member, { number, hex, failure }: HashReply): void {
  const reply = member.waiting.get(number)
  member.waiting.delete(number)
  if (member.waiting.size === 0) member.worker.unref()
  if (hex !== undefined) reply?.resolve(hex)
  else reply?.reject(dataLoss(`hashing failed: ${failure}`))
}
