/** Access to registries: mirrors, insecure registries, certificates, proxies. */
import { invalidArgument } from '../base/index.ts'
import type { RawValues } from './options/parse-options.ts'
import { list } from './options/raw-values.ts'

/** Addresses of proxies for the daemon's own requests. They may hold credentials, so they must not be shown or
 *  logged. */
export interface ProxyConfig {
  readonly httpProxy: string | undefined
  readonly httpsProxy: string | undefined
  readonly noProxy: string | undefined
}

/** How the daemon reaches registries. */
export interface RegistriesConfig {
  readonly insecure: readonly string[]
  readonly mirrors: readonly string[]
  /** Directories with `HOST[:PORT]/*.crt`, `*.cert` and `*.key`. The first one that has the host is used. */
  readonly certificateDirectories: readonly string[]
  readonly proxies: ProxyConfig
  readonly maxConcurrentDownloads: number
  readonly maxConcurrentUploads: number
}

type Environment = Readonly<Record<string, string | undefined>>

const defaultCertificateDirectories: readonly string[] = ['/etc/berth/certs.d', '/etc/docker/certs.d']
const proxyKeys = ['http-proxy', 'https-proxy', 'no-proxy'] as const

/** Checks the values of flags and file. Throws `invalidArgument` with the wrong value. */
export function registriesConfig(raw: RawValues, environment: Environment = process.env): RegistriesConfig {
  const directories = list(raw, 'registryCertsDir')
  return {
    insecure: list(raw, 'insecureRegistry').map((entry) => entry.replace(/^https?:\/\//i, '')),
    mirrors: list(raw, 'registryMirror').map(checkMirror),
    certificateDirectories: directories.length === 0 ? defaultCertificateDirectories : directories,
    proxies: proxyConfig(raw, environment),
    maxConcurrentDownloads: atLeastOne(raw.maxConcurrentDownloads, 3),
    maxConcurrentUploads: atLeastOne(raw.maxConcurrentUploads, 5),
  }
}

/** Flags and daemon.json take precedence over the environment. */
function proxyConfig(raw: RawValues, environment: Environment): ProxyConfig {
  const file = (raw.proxies ?? {}) as Readonly<Record<string, string>>
  const unknown = Object.keys(file).find((key) => !(proxyKeys as readonly string[]).includes(key))
  if (unknown !== undefined)
    throw invalidArgument(`proxies: unknown key "${unknown}" (${proxyKeys.join(', ')} are known)`)
  const value = (key: (typeof proxyKeys)[number], flag: RawValues[string & keyof RawValues], variable: string) => {
    if (flag !== undefined && file[key] !== undefined) {
      throw invalidArgument(
        `the following directives are specified both as a flag and in the configuration file: ${key}`,
      )
    }
    const set = flag ?? file[key] ?? environment[variable] ?? environment[variable.toLowerCase()]
    return typeof set === 'string' && set !== '' ? set : undefined
  }
  return {
    httpProxy: checkProxy('http-proxy', value('http-proxy', raw.httpProxy, 'HTTP_PROXY')),
    httpsProxy: checkProxy('https-proxy', value('https-proxy', raw.httpsProxy, 'HTTPS_PROXY')),
    noProxy: value('no-proxy', raw.noProxy, 'NO_PROXY'),
  }
}

/** Checks a proxy's address. It is not in the message, because it may hold a password. */
function checkProxy(key: string, address: string | undefined): string | undefined {
  if (address === undefined) return undefined
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(address) ? address : `http://${address}`)
  if (url !== null && /^https?:$/.test(url.protocol)) return address
  throw invalidArgument(`invalid ${key}: must be the address of an http or https proxy`)
}

function checkMirror(mirror: string): string {
  const url = URL.parse(mirror)
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.search !== '') {
    throw invalidArgument(`invalid mirror: "${mirror}" must be a plain http or https address`)
  }
  return mirror.replace(/\/$/, '')
}

function atLeastOne(value: RawValues[string & keyof RawValues], otherwise: number): number {
  return Math.max(1, typeof value === 'number' ? value : otherwise)
}
