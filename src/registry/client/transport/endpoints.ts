/** Where a registry's API may be found, in the order to try: mirrors, HTTPS, and plain HTTP for those
 *  that may be spoken to without encryption. */
import { isIP } from 'node:net'
import { BerthError } from '../../../base/index.ts'
import { defaultRegistry } from '../../../oci/index.ts'
import { isCidr, isInside } from './cidr.ts'

/** One base of a registry's API. */
export interface Endpoint {
  /** Without a slash at the end and without `/v2`. */
  readonly baseUrl: string
  readonly insecureTls: boolean
  readonly isMirror: boolean
  /** As the user or the configuration writes it: names its directory of certificates. */
  readonly host: string
}

/** Finds the addresses of a host; none when it has none. */
export type ResolveHost = (host: string) => Promise<readonly string[]>

export interface EndpointOptions {
  /** Hosts, `host:port`s or CIDRs that may be spoken to by plain HTTP or with any certificate. */
  readonly insecureRegistries?: readonly string[]
  /** Base URLs that are asked first for images of Docker Hub. */
  readonly mirrors?: readonly string[]
}

const dockerHubHost = 'registry-1.docker.io'

/** The endpoints of `registry`, best first. */
export async function endpointsOf(
  registry: string,
  options: EndpointOptions = {},
  resolve?: ResolveHost,
): Promise<Endpoint[]> {
  const { mirrors = [], insecureRegistries = [] } = options
  if (registry === defaultRegistry) {
    const mirrored = mirrors.map(async (mirror): Promise<Endpoint> => {
      const host = hostOf(mirror)
      const insecureTls = await isInsecureRegistry(host, insecureRegistries, resolve)
      return { baseUrl: mirror.replace(/\/+$/, ''), insecureTls, isMirror: true, host }
    })
    const hub = { baseUrl: `https://${dockerHubHost}`, insecureTls: false, isMirror: false, host: dockerHubHost }
    return [...(await Promise.all(mirrored)), hub]
  }
  if (!URL.canParse(`https://${registry}`)) {
    throw new BerthError('unavailable', `Get "https://${registry}/v2/": dial tcp: address ${registry}: invalid port`)
  }
  const insecureTls = await isInsecureRegistry(registry, insecureRegistries, resolve)
  const secure = { baseUrl: `https://${registry}`, insecureTls, isMirror: false, host: registry }
  return insecureTls ? [secure, { ...secure, baseUrl: `http://${registry}` }] : [secure]
}

/** True for loopback, and for what the configuration lists: by name and port, or by the network that one of its
 *  addresses is in. `resolve` is asked only when there are networks in the list. */
export async function isInsecureRegistry(
  registry: string,
  insecure: readonly string[],
  resolve?: ResolveHost,
): Promise<boolean> {
  const host = registry.replace(/:\d+$/, '').replace(/^\[|\]$/g, '')
  if (host === 'localhost' || host.endsWith('.localhost') || insecure.includes(registry)) return true
  const networks = insecure.filter(isCidr)
  if (isIP(host) !== 0) return ['127.0.0.0/8', '::1/128', ...networks].some((network) => isInside(host, network))
  if (networks.length === 0 || resolve === undefined) return false
  const addresses = await resolve(host)
  return addresses.some((address) => networks.some((network) => isInside(address, network)))
}

function hostOf(url: string): string {
  return /^https?:\/\/([^/]+)/.exec(url)?.[1] ?? url
}
