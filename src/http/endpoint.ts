/** Where a server listens and a client connects, as `-H` and DOCKER_HOST write it. */
import { readFile } from 'node:fs/promises'
import { invalidArgument, notImplemented } from '../base/index.ts'

export type Endpoint = UnixEndpoint | TcpEndpoint | InheritedEndpoint

export interface UnixEndpoint {
  readonly kind: 'unix'
  readonly path: string
}

export interface TcpEndpoint {
  readonly kind: 'tcp'
  /** '' listens on every address. */
  readonly host: string
  readonly port: number
  readonly tls?: TlsMaterial | undefined
}

/** A listening socket that this process was started with. */
export interface InheritedEndpoint {
  readonly kind: 'inherited'
  readonly descriptor: number
  readonly tls?: TlsMaterial | undefined
}

/** Certificates in PEM form. */
export interface TlsMaterial {
  readonly ca?: string | Buffer | undefined
  readonly cert?: string | Buffer | undefined
  readonly key?: string | Buffer | undefined
  /** Server: demand a client certificate that `ca` signed. Client: check the server's. */
  readonly verify: boolean
}

export interface TlsPaths {
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
  readonly verify: boolean
}

const defaultPort = 2375
const defaultTlsPort = 2376

/** Parses `unix:///path`, `tcp://host:port`, a bare absolute path or `host:port`. */
export function parseEndpoint(text: string, tls?: TlsMaterial): Endpoint {
  const [, scheme = '', rest = ''] = /^(?:([a-z]+):\/\/)?(.*)$/.exec(text.trim()) ?? []
  if (scheme === 'unix' || (scheme === '' && rest.startsWith('/'))) return unixEndpoint(rest, text)
  if (scheme === 'tcp' || scheme === '' || scheme === 'http' || scheme === 'https') return tcpEndpoint(rest, text, tls)
  if (scheme === 'fd' || scheme === 'ssh') throw notImplemented(`${scheme}:// addresses are not implemented: ${text}`)
  throw invalidArgument(`invalid address ${JSON.stringify(text)}: unsupported protocol ${scheme}`)
}

/** Writes an endpoint as `parseEndpoint` reads it. */
export function formatEndpoint(endpoint: Endpoint): string {
  if (endpoint.kind === 'unix') return `unix://${endpoint.path}`
  if (endpoint.kind === 'inherited') return `fd://${endpoint.descriptor}`
  const host = endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host
  return `tcp://${host}:${endpoint.port}`
}

/** Reads the files named by `--tlscacert`, `--tlscert` and `--tlskey`. */
export async function loadTls({ ca, cert, key, verify }: TlsPaths): Promise<TlsMaterial> {
  const [caPem, certPem, keyPem] = await Promise.all([ca, cert, key].map(readPem))
  return { ca: caPem, cert: certPem, key: keyPem, verify }
}

async function readPem(path: string | undefined): Promise<Buffer | undefined> {
  if (path === undefined) return undefined
  try {
    return await readFile(path)
  } catch (error) {
    throw invalidArgument(`could not read TLS file ${path}`, { cause: error })
  }
}

function unixEndpoint(path: string, text: string): UnixEndpoint {
  if (path === '') throw invalidArgument(`invalid address ${JSON.stringify(text)}: no path`)
  return { kind: 'unix', path: path.startsWith('/') ? path : `/${path}` }
}

function tcpEndpoint(rest: string, text: string, tls: TlsMaterial | undefined): TcpEndpoint {
  const match = /^(?:\[([0-9a-fA-F:.%]+)\]|([^:/[\]]*))(?::(\d{1,5}))?\/?$/.exec(rest)
  if (match === null || rest === '') throw invalidArgument(`invalid address ${JSON.stringify(text)}`)
  const [, ipv6, host = '', port] = match
  const number = port === undefined ? (tls === undefined ? defaultPort : defaultTlsPort) : Number(port)
  if (number > 65535) throw invalidArgument(`invalid address ${JSON.stringify(text)}: port out of range`)
  return { kind: 'tcp', host: ipv6 ?? host, port: number, ...(tls === undefined ? {} : { tls }) }
}
