/** Where a daemon listens, as `-H` and `DOCKER_HOST` name it. */
import { invalidArgument } from '../base/index.ts'

/** Files and checks of a TLS connection. */
export interface TlsFiles {
  readonly caPath?: string | undefined
  readonly certificatePath?: string | undefined
  readonly keyPath?: string | undefined
  /** Refuse a server whose certificate the CA did not sign. */
  readonly verify: boolean
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

const plainPort = 2375
const tlsPort = 2376

/** Parses `unix:///path`, `tcp://host[:port][/path]`, `http(s)://…` and the bare forms `host:port` and `/path`.
 *  Throws `invalidArgument` that names the text. */
export function parseEndpoint(text: string, { tls = false }: { readonly tls?: boolean } = {}): Endpoint {
  const trimmed = text.trim()
  const match = /^([a-z0-9]+):\/\/(.*)$/i.exec(trimmed)
  const scheme = match?.[1]?.toLowerCase() ?? (trimmed.startsWith('/') ? 'unix' : 'tcp')
  const rest = match?.[2] ?? trimmed
  if (scheme === 'unix') {
    if (rest === '') throw invalidArgument(`unable to parse docker host \`${text}\``)
    return { kind: 'unix', url: `unix://${rest}`, path: rest }
  }
  if (scheme === 'ssh') {
    throw invalidArgument(
      `connections over ssh are not built: forward the socket (ssh -L /tmp/remote.sock:/run/berth.sock HOST) and use -H unix:///tmp/remote.sock instead of ${text}`,
    )
  }
  if (scheme !== 'tcp' && scheme !== 'http' && scheme !== 'https') {
    throw invalidArgument(`invalid bind address format: ${text}`)
  }
  return tcpEndpoint(text, rest, scheme === 'https' || tls)
}

function tcpEndpoint(text: string, rest: string, tls: boolean): Endpoint {
  const match = /^(\[[0-9a-f:.%]+\]|[^:/\s]*)(?::(\d+))?(\/[^\s?#]*)?$/i.exec(rest)
  const port = Number(match?.[2] ?? (tls ? tlsPort : plainPort))
  if (match === null || port > 65535) throw invalidArgument(`unable to parse docker host \`${text}\``)
  const host = (match[1] ?? '').replace(/^\[|\]$/g, '') || '127.0.0.1'
  const basePath = (match[3] ?? '').replace(/\/+$/, '')
  return { kind: 'tcp', url: `tcp://${match[1] || host}:${port}${basePath}`, host, port, basePath }
}
