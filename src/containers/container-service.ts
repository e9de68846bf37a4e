/** The API's verbs for containers, and the function that implements each of them. */
import type { Network } from '../api/index.ts'
import type { ContainerBackend } from '../contract/index.ts'
import type { NetworkMembers } from '../network/index.ts'
import { connectContainer, disconnectContainer } from './connections/connect.ts'
import { removeLink } from './connections/links.ts'
import { createContainer } from './create/create.ts'
import { renameContainer } from './create/rename.ts'
import { updateContainer } from './create/update.ts'
import { extractToContainer, readContainerArchive, statContainerPath } from './files/archive.ts'
import { containerChanges } from './files/changes.ts'
import { commitContainer } from './files/commit.ts'
import { exportContainer } from './files/export.ts'
import type { ContainerContext } from './record/dependencies.ts'
import { publishContainer } from './record/events.ts'
import { requireRunning } from './record/state.ts'
import { pauseContainer, unpauseContainer } from './run/pause.ts'
import { pruneContainers } from './run/prune.ts'
import { removeContainer } from './run/remove.ts'
import { startContainer } from './run/start.ts'
import { killContainer, restartContainer, stopContainer } from './run/stop.ts'
import { waitContainer } from './run/wait.ts'
import { attachContainer } from './streams/attach.ts'
import { containerLogs } from './streams/logs.ts'
import { inspectContainer, listContainers, lookups } from './views/list.ts'
import { StatsSampler } from './views/stats.ts'
import { topContainer } from './views/top.ts'

/** Gives the verbs of containers as the API server and embedders call them. `ContainerBackend` (`contract`) describes
 *  each verb; errors are Berth errors whose kind becomes the HTTP status. */
export function containerService(context: ContainerContext): ContainerBackend {
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
      context.runtime.get(record.id).resize(size)
      publishContainer(context.events, record, 'resize', { height: String(size.height), width: String(size.width) })
    },
    logs: (id, options, { signal }) => containerLogs(context, id, options, signal),
    attach: (id, options, abort) => attachContainer(context, id, options, abort),
    export: (id, abort) => exportContainer(context, id, abort),
    changes: (id) => containerChanges(context, id),
    commit: (id, options) => commitContainer(context, id, options),
    stats: (id, options, abort) => sampler.follow(id, options, abort),
    statPath: (id, path) => statContainerPath(context, id, path),
    readArchive: (id, path, abort) => readContainerArchive(context, id, path, abort),
    extract: (id, path, source, options) => extractToContainer(context, id, path, source, options),
  }
}

/** Gives what the networks' verbs need of containers: joining a network, leaving one, and the containers on the host's
 *  network. `connect` and `disconnect` throw Docker's errors, such as `notFound` for an unknown container and
 *  `forbidden` for a membership that already exists or does not exist. */
export function networkMembers(context: ContainerContext): NetworkMembers {
  return {
    connect: (id, network, settings) => connectContainer(context, id, network, settings),
    disconnect: (id, network) => disconnectContainer(context, id, network),
    onHost: () => containersOnHost(context),
  }
}

/** Containers on the host's own network. The networks lease nothing for these containers, so they do not list them. */
async function containersOnHost(context: ContainerContext): Promise<Network['Containers']> {
  const onHost = await listContainers(context, { all: false, size: false, filters: { network: ['host'] } })
  return Object.fromEntries(
    onHost.map(({ Id, Names, NetworkSettings }) => {
      const EndpointID = NetworkSettings.Networks?.host?.EndpointID ?? ''
      const Name = (Names[0] ?? '').slice(1)
      return [Id, { Name, EndpointID, MacAddress: '', IPv4Address: '', IPv6Address: '' }]
    }),
  )
}
