/** Converts records to the answers of inspect and list. Pure. */
import { createHash } from 'node:crypto'
import type {
  ContainerInspect,
  ContainerSummary,
  EndpointSettings,
  MountPoint,
  NetworkSettings,
  Port,
  PortBinding,
} from '../../api/index.ts'
import { zeroTime } from '../../base/index.ts'
import { type EndpointInfo, isRoutedPort, type Sandbox } from '../../network/index.ts'
import type { ContainerMount, ContainerRecord } from '../record/container-record.ts'
import { membershipsOf } from '../record/memberships.ts'
import { isActive, isUp } from '../record/state.ts'
import { statusText } from './status-text.ts'

/** Gives the id of a network by its name; undefined if there is no such network. */
export type NetworkIds = (name: string) => string | undefined

/** The paths of a container's files that inspect shows. */
export interface ShownPaths {
  readonly log: string
  readonly hosts: string
  readonly hostname: string
  readonly resolvConf: string
  readonly graph: Readonly<Record<string, string>>
}

/** The answer to `GET /containers/{id}/json`. `sandbox` is undefined for a container that does not run. */
export function toInspect(
  record: ContainerRecord,
  sandbox: Sandbox | undefined,
  networkIds: NetworkIds,
  paths: ShownPaths,
  execIds: readonly string[],
  appArmorProfile: string,
): ContainerInspect {
  const { state } = record
  return {
    Id: record.id,
    Created: record.created,
    Path: record.path,
    Args: record.args,
    State: {
      Status: state.status,
      Running: isActive(state.status),
      Paused: state.status === 'paused',
      Restarting: state.status === 'restarting',
      OOMKilled: state.oomKilled,
      Dead: state.status === 'dead',
      Pid: state.pid,
      ExitCode: state.exitCode,
      Error: state.error,
      StartedAt: state.startedAt,
      FinishedAt: state.finishedAt,
      ...(record.health === undefined ? {} : { Health: record.health }),
    },
    Image: record.image.id,
    ResolvConfPath: paths.resolvConf,
    HostnamePath: paths.hostname,
    HostsPath: paths.hosts,
    LogPath: paths.log,
    Name: `/${record.name}`,
    RestartCount: record.restartCount,
    Driver: 'overlay2',
    Platform: 'linux',
    MountLabel: record.labels?.mount ?? '',
    ProcessLabel: record.labels?.process ?? '',
    AppArmorProfile: appArmorProfile,
    ExecIDs: execIds.length === 0 ? null : execIds,
    HostConfig: record.hostConfig,
    GraphDriver: { Data: paths.graph, Name: 'overlay2' },
    Mounts: shownMounts(record),
    Config: record.config,
    NetworkSettings: toNetworkSettings(record, sandbox, networkIds),
    ...(record.image.manifest === undefined ? {} : { ImageManifestDescriptor: record.image.manifest }),
  }
}

/** One entry of the answer to `GET /containers/json`. */
export function toSummary(
  record: ContainerRecord,
  sandbox: Sandbox | undefined,
  networkIds: NetworkIds,
  nowMs: number,
): ContainerSummary {
  return {
    Id: record.id,
    Names: [`/${record.name}`],
    Image: record.image.reference,
    ImageID: record.image.id,
    ...(record.image.manifest === undefined ? {} : { ImageManifestDescriptor: record.image.manifest }),
    Command: [record.path, ...record.args].map(quoteArgument).join(' '),
    Created: Math.floor(Date.parse(record.created) / 1000),
    Ports: toPorts(record, sandbox),
    Labels: record.config.Labels ?? {},
    State: record.state.status,
    Status: statusText(record.state, nowMs, record.health),
    HostConfig: {
      NetworkMode: record.hostConfig.NetworkMode ?? 'default',
      ...annotations(record),
    },
    NetworkSettings: { Networks: toNetworks(record, sandbox, networkIds) },
    Mounts: shownMounts(record),
  }
}

/** A tmpfs is shown if it was requested with `--mount`, not with `--tmpfs`. */
function shownMounts(record: ContainerRecord): readonly MountPoint[] {
  return record.mounts.filter((mount) => mount.type !== 'tmpfs' || isFromMounts(record, mount)).map(toMountPoint)
}

function isFromMounts(record: ContainerRecord, mount: ContainerMount): boolean {
  return (record.hostConfig.Mounts ?? []).some((given) => given.Target === mount.destination)
}

function quoteArgument(argument: string): string {
  return argument === '' || /[\s'"]/.test(argument) ? `'${argument.replaceAll("'", "'\\''")}'` : argument
}

function toMountPoint(mount: ContainerMount): MountPoint {
  return {
    Type: mount.type,
    ...(mount.name === undefined ? {} : { Name: mount.name }),
    Source: mount.source,
    Destination: mount.destination,
    ...(mount.type === 'volume' ? { Driver: mount.driver ?? 'local' } : {}),
    Mode: mount.mode,
    RW: !mount.readOnly,
    Propagation: mount.propagation,
  }
}

function toNetworkSettings(
  record: ContainerRecord,
  sandbox: Sandbox | undefined,
  networkIds: NetworkIds,
): NetworkSettings {
  const networks = toNetworks(record, sandbox, networkIds)
  // Only the endpoint of the default bridge is repeated outside of `Networks`.
  const main = networks.bridge
  return {
    Bridge: '',
    SandboxID: sandbox?.sandboxId ?? '',
    SandboxKey: sandbox?.netnsPath ?? '',
    Ports: toPortMap(record, sandbox),
    HairpinMode: false,
    LinkLocalIPv6Address: '',
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: main?.EndpointID ?? '',
    Gateway: main?.Gateway ?? '',
    GlobalIPv6Address: main?.GlobalIPv6Address ?? '',
    GlobalIPv6PrefixLen: main?.GlobalIPv6PrefixLen ?? 0,
    IPAddress: main?.IPAddress ?? '',
    IPPrefixLen: main?.IPPrefixLen ?? 0,
    IPv6Gateway: main?.IPv6Gateway ?? '',
    MacAddress: main?.MacAddress ?? '',
    Networks: networks,
  }
}

function toNetworks(
  record: ContainerRecord,
  sandbox: Sandbox | undefined,
  networkIds: NetworkIds,
): Readonly<Record<string, EndpointSettings>> {
  const wasStarted = record.state.startedAt !== zeroTime
  const shown = membershipsOf(record).map(({ network, settings }) => {
    const id = settings.NetworkID || (networkIds(network) ?? '')
    const endpoint = sandbox?.endpoints.find((one) => one.networkId === id)
    const shown = toEndpoint(settings, endpoint, wasStarted ? id : '')
    const isHost = network === 'host' && isUp(record.state.status)
    const own = isHost ? { ...shown, EndpointID: hostEndpointId(record) } : shown
    return [endpoint?.networkName ?? network, own] as const
  })
  return Object.fromEntries(shown)
}

/** On the host's network there is no endpoint. Like Docker, give an id anyway, which changes with each run. */
function hostEndpointId({ id, state }: ContainerRecord): string {
  return createHash('sha256').update(`${id} ${state.startedAt}`).digest('hex')
}

function toEndpoint(
  settings: EndpointSettings,
  endpoint: EndpointInfo | undefined,
  networkId: string,
): EndpointSettings {
  const { IPAMConfig, Links, Aliases, MacAddress, DriverOpts, GwPriority } = settings
  return {
    IPAMConfig: IPAMConfig ?? null,
    Links: Links ?? null,
    Aliases: Aliases ?? null,
    MacAddress: endpoint?.mac ?? MacAddress ?? '',
    DriverOpts: DriverOpts ?? null,
    GwPriority: GwPriority ?? 0,
    NetworkID: endpoint?.networkId ?? networkId,
    EndpointID: endpoint?.endpointId ?? '',
    Gateway: endpoint?.gateway ?? '',
    IPAddress: endpoint?.ipv4 ?? '',
    IPPrefixLen: endpoint?.prefix ?? 0,
    IPv6Gateway: endpoint?.gateway6 ?? '',
    GlobalIPv6Address: endpoint?.ipv6 ?? '',
    GlobalIPv6PrefixLen: endpoint?.prefix6 ?? 0,
    DNSNames: endpoint === undefined || endpoint.dnsNames.length === 0 ? null : endpoint.dnsNames,
  }
}

function toPortMap(
  record: ContainerRecord,
  sandbox: Sandbox | undefined,
): Readonly<Record<string, PortBinding[] | null>> {
  if (!hasAddress(sandbox)) return {}
  const map: Record<string, PortBinding[] | null> = {}
  for (const spec of Object.keys(record.config.ExposedPorts ?? {})) map[withProtocol(spec)] = null
  for (const port of sandbox.ports) {
    const key = `${port.containerPort}/${port.protocol}`
    // The port is reachable at the container's own address, without a port on the host.
    if (isRoutedPort(port, sandbox.endpoints)) {
      map[key] ??= null
      continue
    }
    map[key] = [...(map[key] ?? []), { HostIp: port.hostIp, HostPort: String(port.hostPort) }]
  }
  return map
}

/** Published and exposed ports, as a list shows them; none while the container does not run. */
export function toPorts(record: ContainerRecord, sandbox: Sandbox | undefined): Port[] {
  if (!hasAddress(sandbox)) return []
  const ports: Port[] = sandbox.ports.map((port) => ({
    ...(isRoutedPort(port, sandbox.endpoints) ? {} : { IP: port.hostIp, PublicPort: port.hostPort }),
    PrivatePort: port.containerPort,
    Type: port.protocol,
  }))
  for (const spec of Object.keys(record.config.ExposedPorts ?? {})) {
    const [number = '', type] = withProtocol(spec).split('/') as [string, Port['Type']]
    if (ports.some((port) => port.PrivatePort === Number(number) && port.Type === type)) continue
    ports.push({ PrivatePort: Number(number), Type: type })
  }
  return ports
}

/** As with Docker, ports of a container without an address are not shown. */
function hasAddress(sandbox: Sandbox | undefined): sandbox is Sandbox {
  return sandbox?.endpoints.some(({ ipv4, ipv6 }) => ipv4 !== '' || (ipv6 ?? '') !== '') === true
}

function withProtocol(spec: string): string {
  return spec.includes('/') ? spec : `${spec}/tcp`
}

/** Go omits an empty map. */
function annotations({ hostConfig }: ContainerRecord): { readonly Annotations?: Readonly<Record<string, string>> } {
  const known = hostConfig.Annotations ?? {}
  return Object.keys(known).length === 0 ? {} : { Annotations: known }
}
