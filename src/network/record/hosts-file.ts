/** The text of a container's `/etc/hosts`. Pure. See hosts(5). */
import { invalidArgument } from '../../base/index.ts'

/** What `formatHosts` needs. */
export interface HostsOptions {
  readonly hostname: string
  /** Domain name; '' for none. */
  readonly domainname?: string
  /** The container's own addresses; empty on the networks `none` and `host`. Entries of '' are ignored. */
  readonly addresses: readonly string[]
  /** `--add-host` entries, `name:address`. The address `host-gateway` is replaced by each of `gateways`. */
  readonly extraHosts: readonly string[]
  /** Addresses under which the container reaches the host. */
  readonly gateways?: readonly string[]
  /** Lines at the end: an address and its names. */
  readonly links?: readonly (readonly [address: string, names: string])[]
}

const standard = [
  ['127.0.0.1', 'localhost'],
  ['::1', 'localhost ip6-localhost ip6-loopback'],
  ['fe00::', 'ip6-localnet'],
  ['ff00::', 'ip6-mcastprefix'],
  ['ff02::1', 'ip6-allnodes'],
  ['ff02::2', 'ip6-allrouters'],
] as const

/** Builds the file's text: standard names, extra hosts in their order, the container's own name, links. Throws
 *  `invalidArgument` for `host-gateway` without a gateway. */
export function formatHosts(options: HostsOptions): string {
  const lines: (readonly [string, string])[] = [...standard]
  for (const entry of options.extraHosts) {
    const [name, address] = splitExtraHost(entry)
    const { gateways = [] } = options
    if (address === 'host-gateway' && gateways.length === 0) {
      throw invalidArgument(
        `unable to derive the IP value for host-gateway (${entry}): there is no default bridge, and no host-gateway-ip`,
      )
    }
    const addresses = address === 'host-gateway' ? gateways : [address]
    for (const one of addresses) lines.push([one, name])
  }
  const names = ownNames(options)
  for (const address of options.addresses) if (address !== '') lines.push([address, names])
  lines.push(...(options.links ?? []))
  return lines.map(([address, text]) => `${address}\t${text}\n`).join('')
}

/** The names of a container in its own line, separated by spaces: the host name with its domain, the host name, and the
 *  part before the first dot, as Docker writes them. */
export function ownNames({ hostname, domainname = '' }: Pick<HostsOptions, 'hostname' | 'domainname'>): string {
  const full = domainname === '' ? hostname : `${hostname}.${domainname}`
  return [...new Set([full, hostname, hostname.split('.')[0]])].join(' ')
}

/** Splits at the first colon or equals sign. The rest may be an IPv6 address, with or without brackets. */
function splitExtraHost(entry: string): [name: string, address: string] {
  const at = entry.search(/[:=]/)
  if (at === -1) return [entry, '']
  return [entry.slice(0, at), entry.slice(at + 1).replace(/^\[(.*)\]$/, '$1')]
}
