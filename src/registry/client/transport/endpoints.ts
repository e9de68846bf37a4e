/** The endpoints of a registry in the order in which they are tried: mirrors, HTTPS, and plain HTTP for insecure
 *  registries. */
import { isIP } from 'node:net'
import { BerthError } from '../../../base/index.ts'
import { defaultRegistry } from '../../../oci/index.ts'
import { isCidr, isInside } from './cidr.ts'

/** A base URL of a registry's API. */
export interface Endpoint {
  /** Without a slash at the end and without `/v2`. */
  readonly baseUrl: string
  /** Accept any certificate. */
  readonly insecureTls: boolean
  readonly isMirror: boolean
  /** The host as the user or the configuration writes it. Its directory of certificates has this name. */
  readonly host: string
}

/** Looks up the addresses of a host; an empty list if there are none. */
export type ResolveHost = (host: string) => Promise<readonly string[]>

/** The configuration of registries. */
export interface EndpointOptions {
  /** Hosts, `host:port` pairs or CIDRs of registries that may use plain HTTP or any certificate. */
  readonly insecureRegistries?: readonly string[]
  /** Base URLs of mirrors of Docker Hub, which are asked first. */
  readonly mirrors?: readonly string[]
}

const dockerHubHost = 'registry-1.docker.io'

/** The endpoints of `registry`, the best one first. Rejects with `unavailable` for a malformed host or port. */
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

/** True for registries on loopback and for those in the configured list, by host and port or because one of their
 *  addresses is in a listed network. `resolve` is called only if the list contains networks. */
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
