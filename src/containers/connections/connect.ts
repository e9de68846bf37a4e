/** connect and disconnect: a container joins or leaves a network. A running container does so at once, any other at its
 *  next start. If the daemon is killed midway, the next boot first adjusts the devices to the leases, and then leases
 *  and records to each other: an unanswered connect is undone, and a disconnect is completed (or undone, if it had only
 *  begun). */
import type { EndpointSettings } from '../../api/index.ts'
import { BerthError, conflict, invalidArgument } from '../../base/index.ts'
import type { EndpointInfo, NetworkRecord, Sandbox, SandboxOwner } from '../../network/index.ts'
import { type ContainerRecord, withChanges } from '../record/container-record.ts'
import type { Uses } from '../record/dependencies.ts'
import { publishNetwork } from '../record/events.ts'
import { checkEndpoint, endpointRequest, type Membership, membershipsOf, userSettings } from '../record/memberships.ts'
import { networkName } from '../record/namespaces.ts'
import { portRequests } from '../record/port-requests.ts'
import { isUp } from '../record/state.ts'
import { hasNames, nameServers, updateOwnAddresses, writeResolvConf } from './network-files.ts'

/** Lets a container join a network. Throws `notFound`, and `forbidden` if the container runs and is already on the
 *  network. */
export async function connectContainer(
  context: Uses<'containers' | 'locks' | 'networks' | 'events' | 'logger' | 'paths' | 'settings'>,
  idOrName: string,
  network: NetworkRecord,
  given: EndpointSettings,
): Promise<void> {
  const { id } = context.containers.get(idOrName)
  await context.locks.run(id, async () => {
    const record = context.containers.get(id)
    checkState(record, 'connected to', network)
    checkModes(record, network)
    const settings = withOwnMac(record, network, userSettings(given))
    checkEndpoint(network.name, settings)
    const memberships = membershipsOf(record)
    const isOn = sandboxOn(context, id, network.name)
    if (memberships.some((one) => one.network === network.name) && (isOn || !isUp(record.state.status))) {
      // For a container that does not run, nothing changes.
      if (!isUp(record.state.status)) return
      throw new BerthError('forbidden', `endpoint with name ${record.name} already exists in network ${network.name}`)
    }
    const runs = isUp(record.state.status)
    const membership = { network: network.name, settings: runs ? { ...settings, NetworkID: network.id } : settings }
    if (runs) await connectRunning(context, record, membership)
    const others = memberships.filter((one) => one.network !== network.name)
    saveNetworks(context, id, [...others, membership])
    if (runs) publishNetwork(context, record, network, 'connect')
  })
}

/** The MAC address of `docker create` belongs to the container's first network. It is used again if the container
 *  leaves that network and comes back, as docker-compose 1.x makes each container do. */
function withOwnMac(record: ContainerRecord, network: NetworkRecord, settings: EndpointSettings): EndpointSettings {
  const { MacAddress: mac } = record.config
  const isFirst = [network.name, network.id].includes(networkName(record))
  return mac && !settings.MacAddress && isFirst ? { ...settings, MacAddress: mac } : settings
}

/** Removes a container from a network. Throws `notFound`, and `forbidden` if the container is not on the network. */
export async function disconnectContainer(
  context: Uses<'containers' | 'locks' | 'networks' | 'events' | 'logger' | 'paths' | 'settings'>,
  idOrName: string,
  network: NetworkRecord,
): Promise<void> {
  const { id } = context.containers.get(idOrName)
  await context.locks.run(id, async () => {
    const record = context.containers.get(id)
    checkState(record, 'disconnected from', network)
    if (network.driver === 'host' || networkName(record) === 'host') throw hostConflict()
    const memberships = membershipsOf(record)
    const isMember = ({ network: name }: Membership) => name === network.name || name === network.id
    if (!memberships.some(isMember)) {
      throw new BerthError('forbidden', `container ${id} is not connected to network ${network.name}`)
    }
    if (sandboxOn(context, id, network.name)) await disconnectRunning(context, record, network.id)
    saveNetworks(
      context,
      id,
      memberships.filter((one) => !isMember(one)),
    )
    if (isUp(record.state.status)) publishNetwork(context, record, network, 'disconnect')
  })
}

/** Reconciles a running container's networks at boot: it leaves each network that only its lease or only its record
 *  names. */
export async function reconcileNetworks(
  context: Uses<'containers' | 'networks' | 'logger' | 'paths' | 'settings'>,
  id: string,
): Promise<void> {
  const record = context.containers.find(id)
  const sandbox = context.networks.sandboxes.find(id)
  if (record === undefined || sandbox === undefined) return
  const memberships = membershipsOf(record)
  const isOn = (network: string): boolean => sandbox.endpoints.some((endpoint) => endpoint.networkName === network)
  for (const { networkId, networkName } of sandbox.endpoints) {
    if (memberships.some(({ network }) => network === networkName || networkId.startsWith(network))) continue
    context.logger.info('leaving a network that was joined while the daemon ended', {
      container: id,
      network: networkName,
    })
    await disconnectRunning(context, record, networkId)
  }
  const isKept = (network: string) =>
    (network === 'bridge' && record.withoutBridge === true) || isOn(context.networks.find(network)?.name ?? network)
  const kept = memberships.filter(({ network }) => isKept(network))
  if (kept.length < memberships.length) saveNetworks(context, id, kept)
}

/** What the network must know of the container, in addition to its endpoints. */
export function sandboxOwner(context: Uses<'settings'>, record: ContainerRecord): SandboxOwner {
  return {
    containerId: record.id,
    name: record.name,
    hostname: record.config.Hostname ?? '',
    ports: portRequests(record.config, record.hostConfig),
    upstream: () => nameServers(context, record),
  }
}

async function connectRunning(
  context: Uses<'networks' | 'logger' | 'paths' | 'settings'>,
  record: ContainerRecord,
  membership: Membership,
): Promise<void> {
  const { sandboxes } = context.networks
  const before = sandboxes.find(record.id)?.endpoints ?? []
  const sandbox = await sandboxes.connect(sandboxOwner(context, record), endpointRequest(membership))
  updateFiles(context, record, before, sandbox)
}

async function disconnectRunning(
  context: Uses<'networks' | 'logger' | 'paths' | 'settings'>,
  record: ContainerRecord,
  networkId: string,
): Promise<void> {
  const { sandboxes } = context.networks
  const before = sandboxes.find(record.id)?.endpoints ?? []
  updateFiles(context, record, before, await sandboxes.disconnect(record.id, networkId))
}

function updateFiles(
  context: Uses<'logger' | 'paths' | 'settings'>,
  record: ContainerRecord,
  before: readonly EndpointInfo[],
  sandbox: Sandbox,
): void {
  updateOwnAddresses(context, record, before, sandbox.endpoints)
  if (hasNames({ endpoints: before }) !== hasNames(sandbox)) writeResolvConf(context, record, sandbox)
}

function sandboxOn(context: Uses<'networks'>, id: string, network: string): boolean {
  return context.networks.sandboxes.find(id)?.endpoints.some(({ networkName }) => networkName === network) ?? false
}

/** Saves these networks in the current version of the record. */
function saveNetworks(context: Uses<'containers' | 'networks'>, id: string, memberships: readonly Membership[]): void {
  const record = context.containers.find(id)
  if (record === undefined) return
  const networks = Object.fromEntries(memberships.map(({ network, settings }) => [network, settings]))
  const withoutBridge = record.withoutBridge === true && !sandboxOn(context, id, 'bridge')
  context.containers.save(withChanges(record, { networks, withoutBridge }))
}

function checkState(record: ContainerRecord, what: string, network: NetworkRecord): void {
  const { status } = record.state
  if (status !== 'removing' && status !== 'dead') return
  throw conflict(`Container ${record.id} is marked for removal and cannot be ${what} the network ${network.name}`)
}

function checkModes(record: ContainerRecord, network: NetworkRecord): void {
  const mode = networkName(record)
  if (mode.startsWith('container:')) {
    throw invalidArgument(
      'container sharing network namespace with another container or host cannot be connected to any other network',
    )
  }
  if (mode === 'host' || network.driver === 'host') throw hostConflict()
  const memberships = membershipsOf(record)
  const isAlone = (name: string) => name === 'none'
  if (memberships.some((one) => isAlone(one.network)) || (network.name === 'none' && memberships.length > 0)) {
    throw invalidArgument(
      'container cannot be connected to multiple networks with one of the networks in private (none) mode',
    )
  }
}

function hostConflict(): BerthError {
  return invalidArgument('container cannot be disconnected from host network or connected to host network')
}
