/** Networks in memory: one default bridge, and sandboxes with an address each. */
import { BerthError, internal, notFound } from '../../src/base/index.ts'
import type { ContainerNetworks, ContainerSandboxes } from '../../src/containers/ports/networks.ts'
import type { EndpointInfo, EndpointRequest, NetworkRecord, Sandbox, SandboxRequest } from '../../src/network/index.ts'
import type { Life } from './fake-host.ts'

/** What lasts of the networks when the daemon is killed. */
export interface FakeLeases {
  readonly networks: readonly NetworkRecord[]
  readonly sandboxes: Map<string, Sandbox>
}

/** A network of the driver `bridge`. */
export function fakeNetwork(name: string): NetworkRecord {
  return {
    version: 1,
    id: `${name}-id`,
    name,
    driver: 'bridge',
    created: '2026-01-01T00:00:00Z',
    internal: false,
    attachable: false,
    enableIpv4: true,
    enableIpv6: false,
    configOnly: false,
    configFrom: '',
    ipamDriver: 'default',
    ipamOptions: null,
    ipam: [],
    options: {},
    labels: {},
  } satisfies NetworkRecord
}

export function fakeNetworks(life: Life, leases: FakeLeases): ContainerNetworks {
  const find = (key: string) => leases.networks.find(({ id, name }) => id === key || name === key)
  return { find, sandboxes: fakeSandboxes(life, leases, find) }
}

function fakeSandboxes(
  life: Life,
  { sandboxes }: FakeLeases,
  find: (key: string) => NetworkRecord | undefined,
): ContainerSandboxes {
  const place = (wanted: EndpointRequest): EndpointInfo => {
    const network = find(wanted.network)
    if (network === undefined) throw notFound(`network ${wanted.network} not found`)
    return endpointOn(network, freeAddress([...sandboxes.values()]))
  }
  const reserved = (containerId: string): Sandbox => {
    const sandbox = sandboxes.get(containerId)
    if (sandbox === undefined) throw internal(`container ${containerId} has no network`)
    return sandbox
  }
  const put = (sandbox: Sandbox): Sandbox => {
    sandboxes.set(sandbox.containerId, sandbox)
    return sandbox
  }
  const release = (containerId: string): void => {
    if (sandboxes.has(containerId)) life.effect(() => sandboxes.delete(containerId))
  }
  const reserve = ({ containerId, endpoints }: SandboxRequest): Sandbox => {
    release(containerId)
    const own = endpoints.map(place)
    return life.effect(() =>
      put({
        containerId,
        sandboxId: `s-${containerId}`,
        netnsPath: `/netns/${containerId}`,
        endpoints: own,
        ports: [],
      }),
    )
  }
  return {
    reserve,
    release,
    async setUp(request) {
      try {
        return await life.step('network', () => {
          return sandboxes.has(request.containerId) ? reserved(request.containerId) : reserve(request)
        })
      } catch (error) {
        release(request.containerId)
        throw error
      }
    },
    find: (containerId) => sandboxes.get(containerId),
    rename() {},
    connect: (owner, request) =>
      life.step('connect', () => {
        const before = reserved(owner.containerId)
        if (before.endpoints.some(({ networkId }) => networkId === find(request.network)?.id)) {
          throw new BerthError('forbidden', `endpoint already exists in network ${request.network}`)
        }
        return put({ ...before, endpoints: [...before.endpoints, place(request)] })
      }),
    disconnect: (containerId, networkId) =>
      life.step('disconnect', () => {
        const before = reserved(containerId)
        return put({ ...before, endpoints: before.endpoints.filter((one) => one.networkId !== networkId) })
      }),
    changePorts: (owner) => life.step('change ports', () => reserved(owner.containerId)),
    links: { async set() {} },
  }
}

function freeAddress(all: readonly Sandbox[]): string {
  const taken = new Set(all.flatMap(({ endpoints }) => endpoints.map(({ ipv4 }) => ipv4)))
  for (let last = 2; ; last += 1) if (!taken.has(`10.0.0.${last}`)) return `10.0.0.${last}`
}

function endpointOn(network: NetworkRecord, ipv4: string): EndpointInfo {
  return {
    networkId: network.id,
    networkName: network.name,
    endpointId: `e-${ipv4}`,
    ipv4,
    prefix: 24,
    gateway: '10.0.0.1',
    ipv6: '',
    prefix6: 0,
    gateway6: '',
    linkLocal: [],
    mac: '',
    device: 'eth0',
    gatewayPriority: 0,
    aliases: [],
    dnsNames: [],
    links: [],
  }
}
