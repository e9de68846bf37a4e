/** Every verb on containers behind one value, as the HTTP server and embedders call it. Nothing but forwarding. */
import type {
  ContainerChange,
  ContainerCreateResponse,
  ContainerInspect,
  ContainerPathStat,
  ContainerStats,
  ContainerSummary,
  ContainersPruneResponse,
  ContainerTopResponse,
  ContainerUpdateResponse,
  ContainerWaitResponse,
  EndpointSettings,
  HostConfig,
  WaitCondition,
} from '../api/index.ts'
import type { AbortOptions, OutputSink } from '../base/index.ts'
import type { NetworkRecord } from '../network/index.ts'
import type { TerminalSize } from '../runtime/index.ts'
import { connectContainer, disconnectContainer } from './connections/connect.ts'
import { removeLink } from './connections/links.ts'
import { type CreateRequest, createContainer } from './create/create.ts'
import { renameContainer } from './create/rename.ts'
import { updateContainer } from './create/update.ts'
import {
  type ContainerArchive,
  type ExtractOptions,
  extractToContainer,
  readContainerArchive,
  statContainerPath,
} from './files/archive.ts'
import { containerChanges } from './files/changes.ts'
import { type CommitOptions, commitContainer } from './files/commit.ts'
import { exportContainer } from './files/export.ts'
import type { AttachIo, OutputSource } from './record/attach-io.ts'
import type { ContainerContext } from './record/dependencies.ts'
import { publishContainer } from './record/events.ts'
import { requireRunning } from './record/state.ts'
import { pauseContainer, unpauseContainer } from './run/pause.ts'
import { pruneContainers } from './run/prune.ts'
import { type RemoveOptions, removeContainer } from './run/remove.ts'
import { startContainer } from './run/start.ts'
import { killContainer, restartContainer, type StopOptions, stopContainer } from './run/stop.ts'
import { waitContainer } from './run/wait.ts'
import { type AttachOptions, attachContainer } from './streams/attach.ts'
import { containerLogs, type LogsOptions } from './streams/logs.ts'
import { inspectContainer, type ListOptions, listContainers, lookups } from './views/list.ts'
import type { Filters } from './views/list-filters.ts'
import { type StatsOptions, StatsSampler } from './views/stats.ts'
import { topContainer } from './views/top.ts'

/** The verbs of containers; each function's module says what it takes and throws. */
export interface ContainerService {
  create(request: CreateRequest): Promise<ContainerCreateResponse>
  start(id: string): Promise<void>
  stop(id: string, options: StopOptions): Promise<void>
  restart(id: string, options: StopOptions): Promise<void>
  kill(id: string, signal: string): Promise<void>
  pause(id: string): Promise<void>
  unpause(id: string): Promise<void>
  update(id: string, changes: HostConfig): Promise<ContainerUpdateResponse>
  rename(id: string, name: string): Promise<void>
  /** Joins a network. */
  connect(id: string, network: NetworkRecord, settings: EndpointSettings): Promise<void>
  /** Leaves a network. */
  disconnect(id: string, network: NetworkRecord): Promise<void>
  remove(id: string, options: RemoveOptions): Promise<void>
  /** Takes a link away, by `parent/alias`. */
  removeLink(name: string): Promise<void>
  inspect(id: string, options: { readonly size: boolean }): Promise<ContainerInspect>
  list(options: ListOptions): Promise<ContainerSummary[]>
  prune(filters: Filters): Promise<ContainersPruneResponse>
  top(id: string, psArgs: string): Promise<ContainerTopResponse>
  wait(
    id: string,
    condition: WaitCondition,
    abort?: AbortOptions,
  ): Promise<{ readonly result: Promise<ContainerWaitResponse> }>
  resize(id: string, size: TerminalSize): Promise<void>
  logs(id: string, options: LogsOptions, abort: AbortOptions): Promise<OutputSource<OutputSink>>
  attach(id: string, options: AttachOptions): Promise<OutputSource<AttachIo>>
  export(id: string, abort: AbortOptions): Promise<AsyncIterable<Buffer>>
  changes(id: string): Promise<readonly ContainerChange[]>
  commit(id: string, options: CommitOptions): Promise<string>
  stats(id: string, options: StatsOptions, abort: AbortOptions): AsyncGenerator<ContainerStats, void, undefined>
  statPath(id: string, path: string): Promise<ContainerPathStat>
  readArchive(id: string, path: string, abort: AbortOptions): Promise<ContainerArchive>
  extract(id: string, path: string, source: AsyncIterable<Buffer>, options: ExtractOptions): Promise<void>
}

/** The verbs, bound to what they work with. */
export function containerService(context: ContainerContext): ContainerService {
  const sampler = new StatsSampler(context)
  return {
    create: (request) => createContainer(context, request),
    start: (id) => startContainer(context, id),
    stop: (id, options) => stopContainer(context, id, options),
    restart: (id, options) => restartContainer(context, id, options),
    kill: (id, signal) => killContainer(context, id, signal),
    pause: (id) => pauseContainer(context, id),
    unpause: (id) => unpauseContainer(context, id),
    update: (id, changes) => updateContainer(context, id, changes),
    rename: (id, name) => renameContainer(context, id, name),
    connect: (id, network, settings) => connectContainer(context, id, network, settings),
    disconnect: (id, network) => disconnectContainer(context, id, network),
    remove: (id, options) => removeContainer(context, id, options),
    removeLink: (name) => removeLink(context, name),
    inspect: (id, options) => inspectContainer(context, id, options),
    list: (options) => listContainers(context, options),
    prune: (filters) => pruneContainers(context, filters, lookups(context)),
    top: (id, psArgs) => topContainer(context, id, psArgs),
    wait: async (id, condition, abort) => waitContainer(context, id, condition, abort),
    async resize(id, size) {
      const record = context.containers.get(id)
      requireRunning(record)
      context.runtime.resize(record.id, size)
      publishContainer(context.events, record, 'resize', { height: String(size.height), width: String(size.width) })
    },
    logs: (id, options, { signal }) => containerLogs(context, id, options, signal),
    attach: (id, options) => attachContainer(context, id, options),
    export: (id, abort) => exportContainer(context, id, abort),
    changes: (id) => containerChanges(context, id),
    commit: (id, options) => commitContainer(context, id, options),
    stats: (id, options, abort) => sampler.follow(id, options, abort),
    statPath: (id, path) => statContainerPath(context, id, path),
    readArchive: (id, path, abort) => readContainerArchive(context, id, path, abort),
    extract: (id, path, source, options) => extractToContainer(context, id, path, source, options),
  }
}
