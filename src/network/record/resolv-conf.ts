/** The text of a container's `/etc/resolv.conf`, made from the host's by Docker's rules. */
import { readFileSync } from 'node:fs'
import { isIPv6 } from 'node:net'
import { errnoOf } from '../../base/index.ts'
import { serverAddress } from '../dns/index.ts'

export interface ResolvConfOptions {
  /** The host's file. */
  readonly host: string
  /** Take the host's name servers as they are (the container shares the host's network). */
  readonly hostNetwork?: boolean
  /** The engine itself answers inside, and asks these servers for what it does not know. */
  readonly embedded?: readonly string[]
  /** The user's own; each list replaces the host's when it is not empty. */
  readonly servers?: readonly string[]
  /** A single `.` means no search domains at all. */
  readonly search?: readonly string[]
  readonly options?: readonly string[]
}

interface ResolvConf {
  readonly servers: readonly string[]
  readonly search: readonly string[]
  readonly options: readonly string[]
}

/** Used only when the host has no name server that a container could reach. */
const publicServers = ['8.8.8.8', '8.8.4.4'] as const
const hostFile = '/etc/resolv.conf'
/** The servers behind systemd-resolved's own 127.0.0.53. */
const resolvedFile = '/run/systemd/resolve/resolv.conf'

/** Where the host's name servers stand. */
export const hostResolvConfFiles: readonly string[] = [hostFile, resolvedFile]

/** Builds the file. Servers on the host's loopback and, without IPv6, those of IPv6 can't be reached from a container. */
export function formatResolvConf(input: ResolvConfOptions): string {
  const host = parseResolvConf(input.host)
  const servers = input.embedded === undefined ? outsideServers(input, host) : [serverAddress]
  const search = input.search?.length ? input.search.filter((domain) => domain !== '.') : host.search
  const given = input.options?.length ? input.options : host.options
  // Names of containers have no dots: a search domain must not be tried first.
  const needsDots = input.embedded !== undefined && !given.some((option) => option.startsWith('ndots:'))
  const options = needsDots ? [...given, 'ndots:0'] : given
  const notes = input.embedded?.length ? [`# Other names are asked of: ${input.embedded.join(' ')}`] : []
  const lines = ["# Made by Berth from the host's file.", ...notes, ...servers.map((server) => `nameserver ${server}`)]
  if (search.length > 0) lines.push(`search ${search.join(' ')}`)
  if (options.length > 0) lines.push(`options ${options.join(' ')}`)
  return `${lines.join('\n')}\n`
}

/** The host's file; the one with systemd-resolved's upstream servers when the host's names only its stub. */
export function readHostResolvConf(): string {
  const text = readIfThere(hostFile)
  const { servers } = parseResolvConf(text)
  if (servers.length === 0 || servers.some((server) => server !== '127.0.0.53')) return text
  const upstream = readIfThere(resolvedFile)
  return upstream === '' ? text : upstream
}

/** Parses a resolv.conf; the last `search` (or `domain`) line counts, options add up. */
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
