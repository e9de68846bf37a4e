/** The text of a container's `/etc/resolv.conf`, made from the host's by Docker's rules. See resolv.conf(5). */
import { readFileSync } from 'node:fs'
import { isIPv6 } from 'node:net'
import { errnoOf } from '../../base/index.ts'
import { serverAddress } from '../dns/index.ts'

/** What `formatResolvConf` needs. */
export interface ResolvConfOptions {
  /** The text of the host's file. */
  readonly host: string
  /** The container shares the host's network, so all name servers of the host can be used. */
  readonly hostNetwork?: boolean
  /** Set if the embedded DNS answers in the container: the servers to which it forwards other names. */
  readonly embedded?: readonly string[]
  /** The user's lists (`--dns`, `--dns-search`, `--dns-option`). Each replaces the host's list unless it is empty. */
  readonly servers?: readonly string[]
  /** A single `.` means no search domains. */
  readonly search?: readonly string[]
  readonly options?: readonly string[]
}

interface ResolvConf {
  readonly servers: readonly string[]
  readonly search: readonly string[]
  readonly options: readonly string[]
}

/** Used only if the host has no name server that a container could reach. */
const publicServers = ['8.8.8.8', '8.8.4.4'] as const
const hostFile = '/etc/resolv.conf'
/** The servers that systemd-resolved forwards to from its own 127.0.0.53. */
const resolvedFile = '/run/systemd/resolve/resolv.conf'

/** The files that list the host's name servers. */
export const hostResolvConfFiles: readonly string[] = [hostFile, resolvedFile]

/** Builds the file's text. Unless the container shares the host's network, the host's servers with a loopback or IPv6
 *  address are left out, as a container may not reach them. */
export function formatResolvConf(input: ResolvConfOptions): string {
  const host = parseResolvConf(input.host)
  const servers = input.embedded === undefined ? outsideServers(input, host) : [serverAddress]
  const search = input.search?.length ? input.search.filter((domain) => domain !== '.') : host.search
  const given = input.options?.length ? input.options : host.options
  // Names of containers have no dots. With `ndots:0` they are tried before any search domain.
  const needsDots = input.embedded !== undefined && !given.some((option) => option.startsWith('ndots:'))
  const options = needsDots ? [...given, 'ndots:0'] : given
  const notes = input.embedded?.length ? [`# Other names are asked of: ${input.embedded.join(' ')}`] : []
  const lines = ["# Made by Berth from the host's file.", ...notes, ...servers.map((server) => `nameserver ${server}`)]
  if (search.length > 0) lines.push(`search ${search.join(' ')}`)
  if (options.length > 0) lines.push(`options ${options.join(' ')}`)
  return `${lines.join('\n')}\n`
}

/** Reads the host's file. If that names only the stub of systemd-resolved, gives the file with its upstream servers.
 *  '' if there is no file. */
export function readHostResolvConf(): string {
  const text = readIfThere(hostFile)
  const { servers } = parseResolvConf(text)
  if (servers.length === 0 || servers.some((server) => server !== '127.0.0.53')) return text
  const upstream = readIfThere(resolvedFile)
  return upstream === '' ? text : upstream
}

/** Parses the text of a resolv.conf. The last `search` or `domain` line counts; options of all lines add up. */
export function parseResolvConf(text: string): ResolvConf {
  const servers: string[] = []
  let search: string[] = []
  const options: string[] = []
  for (const line of text.split('\n')) {
    const [keyword, ...values] = line
      .replace(/[#;].*$/, '')
      .trim()
      .split(/\s+/)
    if (keyword === 'nameserver' && values[0] !== undefined) servers.push(values[0])
    else if (keyword === 'search' || keyword === 'domain') search = values
    else if (keyword === 'options') options.push(...values)
  }
  return { servers, search, options }
}

function outsideServers(input: ResolvConfOptions, host: ResolvConf): readonly string[] {
  return input.servers?.length ? input.servers : hostServers(host, input.hostNetwork === true)
}

function hostServers(host: ResolvConf, hostNetwork: boolean): readonly string[] {
  if (hostNetwork) return host.servers
  const usable = host.servers.filter((server) => !server.startsWith('127.') && !isIPv6(server.split('%')[0] ?? ''))
  return usable.length > 0 ? usable : publicServers
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return ''
    throw error
  }
}
