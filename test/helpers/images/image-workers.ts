/** Workers that run random operations on one daemon's images at the same time. Each operation succeeds, or fails
 *  with a refusal that another worker's operation explains; anything else is recorded as a fault. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { TestDaemon } from '../daemons/daemon.ts'
import { Random } from '../random.ts'

export interface WorkerOptions {
  readonly daemon: TestDaemon
  readonly seed: number
  readonly workers: number
  readonly durationMs: number
  /** `127.0.0.1:PORT/REPOSITORY:TAG`: references that can be pulled. */
  readonly remote: readonly string[]
  /** The registry for pushes: `127.0.0.1:PORT`. */
  readonly registry: string
  /** Archives to load, and one file system to import. */
  readonly archives: readonly Buffer[]
  readonly rootfs: Buffer
  /** Called after each operation. */
  readonly onOperation?: () => void
}

export interface WorkerReport {
  /** How often each operation was done, and how often it was refused. */
  readonly done: Readonly<Record<string, { ok: number; refused: number }>>
  readonly faults: readonly string[]
}

type Operation = (worker: Worker) => Promise<Answer>

interface Answer {
  readonly status: number
  readonly text: string
}

const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((name) => `work-${name}:1`)

/** Refusals that concurrent work explains. */
const expected: readonly RegExp[] = [
  /No such image/i,
  /No such container/i,
  /conflict: unable to (delete|remove)/,
  /image does not exist locally/i,
  /is (already in use|marked for removal)/,
  /removal of container \w+ is already in progress/,
  /tag does not exist|reference does not exist/i,
  /a prune operation is already running/,
]

/** Runs the workers for the given time; a connection that ends without an answer is a fault unless `isDown`. */
export async function runImageWorkers(
  options: WorkerOptions,
  isDown: () => boolean = () => false,
): Promise<WorkerReport> {
  const done: Record<string, { ok: number; refused: number }> = {}
  const faults: string[] = []
  const end = Date.now() + options.durationMs
  const pushing = { last: Promise.resolve() }
  const run = async (index: number): Promise<void> => {
    const worker = new Worker(options, new Random(options.seed + index), index, pushing)
    while (Date.now() < end && faults.length === 0) {
      const [name, operation] = worker.random.pick(operations)
      try {
        const { status, text } = await operation(worker)
        options.onOperation?.()
        const count = (done[name] ??= { ok: 0, refused: 0 })
        const problem = problemOf(status, text)
        if (problem === undefined) count.ok += 1
        else if (expected.some((pattern) => pattern.test(problem))) count.refused += 1
        else faults.push(`worker ${index}: ${name}: ${status} ${problem}`)
      } catch (error) {
        if (!isDown()) faults.push(`worker ${index}: ${name}: ${error instanceof Error ? error.stack : String(error)}`)
        await sleep(50)
      }
    }
  }
  await Promise.all(Array.from({ length: options.workers }, (_, index) => run(index)))
  return { done, faults }
}

/** The message of a failure, which can be the last line of a stream. */
function problemOf(status: number, text: string): string | undefined {
  if (status >= 400) return text
  const error = /"errorDetail":\s*\{[^}]*"message":\s*"((?:[^"\\]|\\.)*)"/.exec(text)?.[1]
  return error
}

class Worker {
  readonly #options: WorkerOptions
  readonly random: Random
  readonly index: number
  readonly #pushing: { last: Promise<void> }
  #made = 0

  constructor(options: WorkerOptions, random: Random, index: number, pushing: { last: Promise<void> }) {
    this.#options = options
    this.random = random
    this.index = index
    this.#pushing = pushing
  }

  async api(method: string, path: string, body?: Buffer | Record<string, unknown>): Promise<Answer> {
    return await this.#options.daemon.api(method, path, body)
  }

  async ids(): Promise<string[]> {
    const { text } = await this.api('GET', '/images/json?all=1')
    return (JSON.parse(text) as { Id: string }[]).map(({ Id }) => Id)
  }

  /** The name or id of an image that exists or may exist. */
  async anImage(): Promise<string> {
    const ids = await this.ids()
    const wanted = this.random.below(3)
    if (wanted === 0 || ids.length === 0) return this.random.pick([...names, ...this.#options.remote])
    const id = this.random.pick(ids)
    return wanted === 1 ? id : id.slice(7, 19)
  }

  name(): string {
    return this.random.pick(names)
  }

  get remote(): readonly string[] {
    return this.#options.remote
  }

  get registry(): string {
    return this.#options.registry
  }

  get archives(): readonly Buffer[] {
    return this.#options.archives
  }

  get rootfs(): Buffer {
    return this.#options.rootfs
  }

  /** Runs a container that writes a little; returns its id or the refusal. */
  async container(): Promise<Answer & { readonly id: string }> {
    this.#made += 1
    const script = `echo ${this.index}-${this.#made} >/made; dd if=/dev/urandom of=/noise bs=1024 count=${this.random.below(200)}`
    const created = await this.api('POST', '/containers/create', {
      Image: await this.anImage(),
      Cmd: ['/bin/sh', '-c', script],
      HostConfig: { NetworkMode: 'none' },
    })
    const id = created.status === 201 ? (JSON.parse(created.text) as { Id: string }).Id : ''
    return { ...created, id }
  }

  /** Debian's registry loses blobs when several clients upload the same ones concurrently. */
  async push(path: string): Promise<Answer> {
    const turn = this.#pushing.last.then(() => this.api('POST', path))
    this.#pushing.last = turn.then(
      () => {},
      () => {},
    )
    return await turn
  }
}

const pull: Operation = async (worker) => {
  const [, name, tag] = /^(.*):([^:]+)$/.exec(worker.random.pick(worker.remote)) ?? []
  return worker.api('POST', `/images/create?fromImage=${name}&tag=${tag}`)
}

const load: Operation = (worker) => worker.api('POST', '/images/load?quiet=1', worker.random.pick(worker.archives))

const importImage: Operation = (worker) => {
  const [repository, tag] = worker.name().split(':')
  return worker.api('POST', `/images/create?fromSrc=-&repo=${repository}&tag=${tag}`, worker.rootfs)
}

const tag: Operation = async (worker) => {
  const [repository, tagName] = worker.name().split(':')
  return worker.api('POST', `/images/${await worker.anImage()}/tag?repo=${repository}&tag=${tagName}`)
}

const remove: Operation = async (worker) =>
  worker.api('DELETE', `/images/${await worker.anImage()}?force=${worker.random.below(2)}`)

const prune: Operation = (worker) => {
  const filters = JSON.stringify({ dangling: [worker.random.below(4) === 0 ? 'false' : 'true'] })
  return worker.api('POST', `/images/prune?filters=${encodeURIComponent(filters)}`)
}

const save: Operation = async (worker) => {
  const answer = await worker.api('GET', `/images/${await worker.anImage()}/get`)
  return answer.status === 200 ? { status: 200, text: '' } : answer
}

const look: Operation = async (worker) => {
  const image = await worker.anImage()
  const path = worker.random.pick([`/images/${image}/json`, `/images/${image}/history`, '/system/df', '/images/json'])
  return worker.api('GET', path)
}

/** Runs a container of a random image and removes it. */
const run: Operation = async (worker) => {
  const { id, ...created } = await worker.container()
  if (id === '') return created
  try {
    const started = await worker.api('POST', `/containers/${id}/start`)
    if (started.status !== 204) return started
    return await worker.api('POST', `/containers/${id}/wait`)
  } finally {
    await worker.api('DELETE', `/containers/${id}?force=1&v=1`)
  }
}

/** Commits a container that is running or has run. */
const commit: Operation = async (worker) => {
  const { id, ...created } = await worker.container()
  if (id === '') return created
  try {
    const started = await worker.api('POST', `/containers/${id}/start`)
    if (started.status !== 204) return started
    if (worker.random.below(2) === 0) await worker.api('POST', `/containers/${id}/wait`)
    const [repository, tagName] = worker.name().split(':')
    const name = worker.random.below(3) === 0 ? '' : `&repo=${repository}&tag=${tagName}`
    return await worker.api('POST', `/commit?container=${id}${name}`)
  } finally {
    await worker.api('DELETE', `/containers/${id}?force=1&v=1`)
  }
}

const push: Operation = async (worker) => {
  const repository = `${worker.registry}/pushed-${worker.random.below(4)}`
  const tagged = await worker.api('POST', `/images/${await worker.anImage()}/tag?repo=${repository}&tag=1`)
  if (tagged.status !== 201) return tagged
  return worker.push(`/images/${repository}/push?tag=1`)
}

const operations: readonly (readonly [string, Operation])[] = [
  ['pull', pull],
  ['pull', pull],
  ['load', load],
  ['load', load],
  ['import', importImage],
  ['tag', tag],
  ['remove', remove],
  ['remove', remove],
  ['remove', remove],
  ['prune', prune],
  ['save', save],
  ['look', look],
  ['run', run],
  ['commit', commit],
  ['push', push],
]
