/** `/etc/hosts`, `hostname` and `resolv.conf` of a container. They are written at its start. When the container joins
 *  or leaves a network they are changed in place, because they are mounted as single files. */
import { chmodSync, writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { invalidArgument } from '../../base/index.ts'
import {
  type EndpointInfo,
  formatHosts,
  formatResolvConf,
  ownNames,
  parseResolvConf,
  readHostResolvConf,
  type Sandbox,
  type UpstreamServer,
} from '../../network/index.ts'
import type { ContainerRecord } from '../record/container-record.ts'
import type { Uses } from '../record/dependencies.ts'
import { editHosts } from './edit-hosts.ts'
import { linkHosts } from './links.ts'

/** Writes all three files; without a sandbox as for a container on the host's network. Throws `invalidArgument` for a
 *  name server that is not an address. */
export function writeNetworkFiles(
  context: Uses<'containers' | 'networks' | 'paths' | 'settings'>,
  record: ContainerRecord,
  sandbox: Sandbox | undefined,
): void {
  const { paths, settings } = context
  const { id, config, hostConfig } = record
  for (const address of hostConfig.Dns ?? []) {
    if (isIP(address.split('%', 1)[0] ?? '') !== 0) continue
    throw invalidArgument(
      `bad nameserver address ${address}: ParseAddr(${JSON.stringify(address)}): unable to parse IP`,
    )
  }
  const hostname = config.Hostname ?? ''
  const own = sandbox?.endpoints.find((endpoint) => endpoint.gateway !== '')?.gateway
  // As in Docker, a sandbox without a gateway uses that of the default bridge.
  const gateway = own ?? context.networks.find('bridge')?.ipam[0]?.gateway
  const gateways = notEmpty(settings.hostGatewayIps) ?? (gateway === undefined ? [] : [gateway])
  writeForAll(paths.hostname(id), `${hostname}\n`)
  writeForAll(
    paths.hosts(id),
    formatHosts({
      hostname,
      domainname: config.Domainname ?? '',
      addresses: (sandbox?.endpoints ?? []).flatMap(addressesOf),
      extraHosts: hostConfig.ExtraHosts ?? [],
      gateways,
      links: linkHosts(context, record),
    }),
  )
  writeResolvConf(context, record, sandbox)
}

/** Writes only `resolv.conf`. */
export function writeResolvConf(
  context: Uses<'paths' | 'settings'>,
  record: ContainerRecord,
  sandbox: Sandbox | undefined,
): void {
  const { paths, settings } = context
  const { id, hostConfig } = record
  const named = sandbox !== undefined && hasNames(sandbox)
  writeForAll(
    paths.resolvConf(id),
    formatResolvConf({
      host: readHostResolvConf(),
      hostNetwork: sandbox === undefined,
      ...(named ? { embedded: nameServers(context, record).map(({ address }) => address) } : {}),
      servers: notEmpty(hostConfig.Dns) ?? settings.dns,
      search: notEmpty(hostConfig.DnsSearch) ?? settings.dnsSearch,
      options: notEmpty(hostConfig.DnsOptions) ?? settings.dnsOptions,
    }),
  )
}

/** Writes a file that every user of the container can read and only its root user can change. The mode is set
 *  explicitly, because an existing file may have one from an earlier daemon's umask. */
function writeForAll(path: string, text: string): void {
  writeFileSync(path, text)
  chmodSync(path, 0o644)
}

/** Replaces the container's own lines in `/etc/hosts`: those of the endpoints `before` are removed, and those of
 *  `after` are added. All other lines stay. */
export function updateOwnAddresses(
  context: Uses<'logger' | 'paths'>,
  record: ContainerRecord,
  before: readonly EndpointInfo[],
  after: readonly EndpointInfo[],
): void {
  const gone = new Set(before.flatMap(addressesOf))
  const { Hostname: hostname, Domainname: domainname } = record.config
  const names = ownNames({ hostname: hostname ?? '', domainname: domainname ?? '' })
  const own = after.flatMap(addressesOf).map((address) => `${address}\t${names}`)
  const isKept = (line: string) => line !== '' && !gone.has(line.split(/\s/)[0] ?? '')
  editHosts(context, record.id, (lines) => [...lines.filter(isKept), ...own, ''])
}

/** The name servers that a container's queries are forwarded to: the user's, or else the daemon's, or else the
 *  host's. */
export function nameServers(context: Uses<'settings'>, { hostConfig }: ContainerRecord): readonly UpstreamServer[] {
  const own = notEmpty(hostConfig.Dns) ?? notEmpty(context.settings.dns)
  if (own !== undefined) return own.map((address) => ({ address, from: 'container' }))
  return parseResolvConf(readHostResolvConf()).servers.map((address) => ({ address, from: 'host' }))
}

/** The name servers that the queries of the container with this id are forwarded to; empty if there is no such
 *  container. */
export function nameServersOf(context: Uses<'containers' | 'settings'>, id: string): readonly UpstreamServer[] {
  const record = context.containers.find(id)
  return record === undefined ? [] : nameServers(context, record)
}

/** True if the embedded DNS server has names for this sandbox. */
export function hasNames(sandbox: Pick<Sandbox, 'endpoints'>): boolean {
  return sandbox.endpoints.some(({ dnsNames }) => dnsNames.length > 0)
}

function addressesOf({ ipv4, ipv6 }: EndpointInfo): string[] {
  return [ipv4, ipv6].filter((address) => address !== '')
}

function notEmpty(list: readonly string[] | null | undefined): readonly string[] | undefined {
  return list && list.length > 0 ? list : undefined
}
