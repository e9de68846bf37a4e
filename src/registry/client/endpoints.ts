/** Where a registry's API may be found, in the order to try: mirrors, HTTPS, and plain HTTP for those
 *  that may be spoken to without encryption. */
import { BlockList, isIP } from 'node:net'
import { defaultRegistry } from '../../oci/index.ts'

/** One base of a registry's API. */
export interface Endpoint {
  /** Without a slash at the end and without `/v2`. */
  readonly baseUrl: string
  readonly insecureTls: boolean
  readonly isMirror: boolean
}

export interface EndpointOptions {
  /** Hosts, `host:port`s or CIDRs that may be spoken to by plain HTTP or with any certificate. */
  readonly insecureRegistries?: readonly string[]
  /** Base URLs that are asked first for images of Docker Hub. */
  readonly mirrors?: readonly string[]
}

const dockerHubHost = 'registry-1.docker.io'

/** The endpoints of `registry`, best first. */
export function endpointsOf(registry: string, options: EndpointOptions = {}): Endpoint[] {
  const { mirrors = [], insecureRegistries = [] } = options
  if (registry === defaultRegistry) {
    const mirrored = mirrors.map((mirror) => ({
      baseUrl: mirror.replace(/\/+$/, ''),
      insecureTls: isInsecureRegistry(hostOf(mirror), insecureRegistries),
      isMirror: true,
    }))
    return [...mirrored, { baseUrl: `https://${dockerHubHost}`, insecureTls: false, isMirror: false }]
  }
  const insecureTls = isInsecureRegistry(registry, insecureRegistries)
  const secure = { baseUrl: `https://${registry}`, insecureTls, isMirror: false }
  return insecureTls ? [secure, { ...secure, baseUrl: `http://${registry}` }] : [secure]
}

/** True for loopback, and for what the configuration lists. */
export function isInsecureRegistry(registry: string, insecure: readonly string[]): boolean {
  const host = registry.replace(/:\d+$/, '').replace(/^\[|\]$/g, '')
  if (host === 'localhost' || host.endsWith('.localhost')) return true
  if (insecure.includes(registry) || insecure.includes(host)) return true
  const family = isIP(host)
  if (family === 0) return false
  const list = new BlockList()
  list.addSubnet('127.0.0.0', 8, 'ipv4')
  list.addAddress('::1', 'ipv6')
  for (const entry of insecure) {
    const [address = '', bits = ''] = entry.split('/')
    if (isIP(address) !== 0 && /^\d+$/.test(bits)) list.addSubnet(address, Number(bits), typeOf(isIP(address)))
  }
  return list.check(host, typeOf(family))
}

function typeOf(family: number): 'ipv4' | 'ipv6' {
  return family === 6 ? 'ipv6' : 'ipv4'
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url
}
