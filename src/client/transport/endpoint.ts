/** Addresses of daemons, in the form of `-H` and `DOCKER_HOST`. */
import { invalidArgument } from '../../base/index.ts'

/** The files of a TLS connection, and what it checks. */
export interface TlsFiles {
  readonly caPath?: string | undefined
  readonly certificatePath?: string | undefined
  readonly keyPath?: string | undefined
  /** Refuse a server whose certificate is not signed by the CA. */
  readonly verify: boolean
}

/** A daemon on another machine, reached through that machine's sshd. */
export interface SshEndpoint {
  readonly kind: 'ssh'
  readonly url: string
  readonly user: string | undefined
  readonly host: string
  /** The port as the user wrote it, unchecked: ssh explains what is wrong with it. */
  readonly port: string | undefined
  /** The daemon's socket on the other machine. Undefined: the one that the command line there uses by default. */
  readonly socketPath: string | undefined
}

/** A parsed daemon address. `url` is the text that messages show. */
export type Endpoint =
  | { readonly kind: 'unix'; readonly url: string; readonly path: string }
  | {
      readonly kind: 'tcp'
      readonly url: string
      readonly host: string
      readonly port: number
      readonly basePath: string
    }
  | SshEndpoint

const plainPort = 2375
const tlsPort = 2376

/** Parses `unix:///path`, `tcp://host[:port][/path]`, `http(s)://…`, `ssh://[user@]host[:port][/path]` and the bare
 *  forms `host:port` and `/path`. Throws `invalidArgument` with the text in its message. */
export function parseEndpoint(text: string, { tls = false }: { readonly tls?: boolean } = {}): Endpoint {
  const trimmed = text.trim()
  const match = /^([a-z0-9]+):\/\/(.*)$/i.exec(trimmed)
  const scheme = match?.[1]?.toLowerCase() ?? (trimmed.startsWith('/') ? 'unix' : 'tcp')
  const rest = match?.[2] ?? trimmed
  if (scheme === 'unix') {
    if (rest === '') throw invalidArgument(`unable to parse docker host \`${text}\``)
    return { kind: 'unix', url: `unix://${rest}`, path: rest }
  }
  if (scheme === 'ssh') return sshEndpoint(trimmed, rest)
  if (scheme !== 'tcp' && scheme !== 'http' && scheme !== 'https') {
    throw invalidArgument(`invalid bind address format: ${text}`)
  }
  return tcpEndpoint(text, rest, scheme === 'https' || tls)
}

/** Parses an ssh address. Its errors have Docker's texts. */
function sshEndpoint(url: string, rest: string): SshEndpoint {
  const fail = (why: string) => invalidArgument(`ssh host connection is not valid: invalid SSH URL: ${why}`)
  const [, authority = '', path = '', query, fragment] =
    /^([^/?#]*)(\/[^?#]*)?(?:\?([^#]*))?(?:#(.*))?$/.exec(rest) ?? []
  const at = authority.lastIndexOf('@')
  const user = at === -1 ? undefined : decode(authority.slice(0, at))
  if (user?.includes(':')) throw fail('plain-text password is not supported')
  const [, host = '', port] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/.exec(authority.slice(at + 1)) ?? []
  if (host === '') throw fail('hostname is empty')
  if (/\s/.test(host)) throw invalidArgument(`parse ${JSON.stringify(url)}: invalid character " " in host name`)
  if (query) throw fail(`query parameters are not allowed: ${JSON.stringify(query)}`)
  if (fragment) throw fail(`fragments are not allowed: ${JSON.stringify(fragment)}`)
  const socketPath = path === '' || path === '/' ? undefined : decode(path)
  return {
    kind: 'ssh',
    url,
    user: user || undefined,
    host: host.replace(/^\[|\]$/g, ''),
    port: port || undefined,
    socketPath,
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw invalidArgument(`unable to parse docker host \`${text}\``)
  }
}

function tcpEndpoint(text: string, rest: string, tls: boolean): Endpoint {
  const match = /^(\[[0-9a-f:.%]+\]|[^:/\s]*)(?::(\d+))?(\/[^\s?#]*)?$/i.exec(rest)
  const port = Number(match?.[2] ?? (tls ? tlsPort : plainPort))
  if (match === null || port > 65535) throw invalidArgument(`unable to parse docker host \`${text}\``)
  const host = (match[1] ?? '').replace(/^\[|\]$/g, '') || '127.0.0.1'
  const basePath = (match[3] ?? '').replace(/\/+$/, '')
  return { kind: 'tcp', url: `tcp://${match[1] || host}:${port}${basePath}`, host, port, basePath }
}
