/** stats: statistics of containers, once or every second. One timer serves all clients: it reads each watched container
 *  once per tick, from files that stay open. Without clients nothing is read. */

import { totalmem } from 'node:os'
import type { ContainerStats, CpuStats } from '../../api/index.ts'
import type { AbortOptions } from '../../base/index.ts'
import type { StatsOptions } from '../../contract/index.ts'
import { hostCpuTime, StatsFiles } from '../../sys/index.ts'
import { cgroupPathOf } from '../isolation/cgroup-path.ts'
import type { ContainerRecord } from '../record/container-record.ts'
import type { ContainerContext } from '../record/dependencies.ts'
import { isUp } from '../record/state.ts'
import { type Figures, figuresOfV1, figuresOfV2, type HostFigures, noCpu, noFigures } from './stats-figures.ts'

const intervalMs = 1000
const neverRead = '0001-01-01T00:00:00Z'

/** One reading; `figures` is undefined if the container has no process. */
interface Reading {
  readonly time: string
  readonly figures: Figures | undefined
}

interface Watched {
  readonly files: StatsFiles
  /** Identifies the run that the files belong to. */
  readonly run: string
  /** Number of ticks without a client. */
  idle: number
}

/** Reads statistics for all clients. It need not be disposed: its timer stops without clients, and never keeps the
 *  process alive. */
export class StatsSampler {
  readonly #context: ContainerContext
  readonly #watched = new Map<string, Watched>()
  #waiting = new Map<string, ((reading: Reading | undefined) => void)[]>()
  #timer: NodeJS.Timeout | undefined
  #host: (HostFigures & { readonly takenMs: number }) | undefined

  constructor(context: ContainerContext) {
    this.#context = context
  }

  /** Yields the readings of a container: one per second with `stream`, otherwise one. Ends when the container is
   *  removed, and on abort. Throws `notFound`. */
  async *follow(
    idOrName: string,
    { stream, oneShot }: StatsOptions,
    { signal }: AbortOptions = {},
  ): AsyncGenerator<ContainerStats, void, undefined> {
    const record = this.#context.containers.get(idOrName)
    let last: { readonly time: string; readonly cpu: CpuStats } = { time: neverRead, cpu: noCpu }
    let reading: Reading | undefined = this.#read(record)
    // Percentages need two readings.
    const skipFirst = !(stream || oneShot) && reading.figures !== undefined
    for (let turn = 0; reading !== undefined && signal?.aborted !== true; turn += 1) {
      const { time, figures } = reading
      if (turn > 0 || !skipFirst) {
        yield toApi(this.#context.containers.find(record.id) ?? record, reading, last)
        if (!stream) return
      }
      last = figures === undefined ? { time: neverRead, cpu: noCpu } : { time, cpu: figures.cpu_stats }
      reading = await this.#next(record.id, signal)
    }
  }

  /** The reading of the next tick; undefined if the container was removed or the client disconnected. */
  #next(id: string, signal: AbortSignal | undefined): Promise<Reading | undefined> {
    const { promise, resolve } = Promise.withResolvers<Reading | undefined>()
    const others = this.#waiting.get(id)
    if (others === undefined) this.#waiting.set(id, [resolve])
    else others.push(resolve)
    const onAbort = (): void => resolve(undefined)
    signal?.addEventListener('abort', onAbort, { once: true })
    this.#timer ??= setInterval(() => this.#tick(), intervalMs).unref()
    return promise.finally(() => signal?.removeEventListener('abort', onAbort))
  }

  #tick(): void {
    const waiting = this.#waiting
    this.#waiting = new Map()
    for (const [id, resolvers] of waiting) {
      const record = this.#context.containers.find(id)
      const reading = record === undefined ? undefined : this.#read(record)
      for (const resolve of resolvers) resolve(reading)
    }
    for (const [id, watched] of this.#watched) {
      watched.idle = waiting.has(id) ? 0 : watched.idle + 1
      if (watched.idle > 1) this.#close(id)
    }
    if (waiting.size > 0 || this.#watched.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #read(record: ContainerRecord): Reading {
    const time = new Date().toISOString()
    if (!isUp(record.state.status)) {
      this.#close(record.id)
      return { time: neverRead, figures: undefined }
    }
    const { files } = this.#watch(record)
    const text = (name: string): string | undefined => files.read(name)
    // Without these files the group is gone: the container is ending.
    if (text('pids.current') === undefined && text('memory.stat') === undefined) {
      this.#close(record.id)
      return { time: neverRead, figures: undefined }
    }
    const host = this.#hostFigures()
    return { time, figures: files.version === 2 ? figuresOfV2(text, host) : figuresOfV1(text, host) }
  }

  #watch(record: ContainerRecord): Watched {
    const { id, state, hostConfig } = record
    const run = `${state.pid} ${state.startedAt}`
    const known = this.#watched.get(id)
    if (known?.run === run) return known
    this.#close(id)
    const hasNetwork = !['host', 'none'].includes(hostConfig.NetworkMode ?? '')
    const cgroup = cgroupPathOf(this.#context, id, hostConfig)
    const watched = { files: StatsFiles.open(cgroup, hasNetwork ? state.pid : undefined), run, idle: 0 }
    this.#watched.set(id, watched)
    // The timer closes the files of a client that reads only once.
    this.#timer ??= setInterval(() => this.#tick(), intervalMs).unref()
    return watched
  }

  #close(id: string): void {
    this.#watched.get(id)?.files.close()
    this.#watched.delete(id)
  }

  /** Facts about the host, shared by all readings of a tick. */
  #hostFigures(): HostFigures {
    const nowMs = performance.now()
    if (this.#host === undefined || nowMs - this.#host.takenMs > 50) {
      const { ns, processors } = hostCpuTime()
      this.#host = { cpuNs: ns, processors, memoryBytes: totalmem(), takenMs: nowMs }
    }
    return this.#host
  }
}

function toApi(
  { id, name }: ContainerRecord,
  { time, figures = noFigures }: Reading,
  last: { readonly time: string; readonly cpu: CpuStats },
): ContainerStats {
  const { networks, ...rest } = figures
  return {
    name: `/${name}`,
    id,
    read: time,
    preread: last.time,
    pids_stats: rest.pids_stats,
    blkio_stats: rest.blkio_stats,
    num_procs: 0,
    storage_stats: {},
    cpu_stats: rest.cpu_stats,
    precpu_stats: last.cpu,
    memory_stats: rest.memory_stats,
    ...(networks === undefined ? {} : { networks }),
  }
}
