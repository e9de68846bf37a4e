/** Addresses that a server listens on. */
import { readFile } from 'node:fs/promises'
import { invalidArgument } from '../base/index.ts'

/** An address to listen on. */
export type Endpoint = UnixEndpoint | TcpEndpoint | InheritedEndpoint

/** A unix socket, by its path. */
export interface UnixEndpoint {
  readonly kind: 'unix'
  readonly path: string
}

/** A TCP address. With `tls`, its connections are encrypted. */
export interface TcpEndpoint {
  readonly kind: 'tcp'
  /** '' means all addresses. */
  readonly host: string
  readonly port: number
  readonly tls?: TlsMaterial | undefined
}

/** A listening socket that this process inherited (socket activation). */
export interface InheritedEndpoint {
  readonly kind: 'inherited'
  readonly descriptor: number
  readonly tls?: TlsMaterial | undefined
}

/** Certificates and key in PEM form. */
export interface TlsMaterial {
  readonly ca?: string | Buffer | undefined
  readonly cert?: string | Buffer | undefined
  readonly key?: string | Buffer | undefined
  /** On a server: require a client certificate signed by `ca`. On a client: check the server's certificate. */
  readonly verify: boolean
}

/** Paths of the files that `loadTls` reads. */
export interface TlsPaths {
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
  readonly verify: boolean
}

/** Writes an endpoint in the form of the flag `-H`. */
export function formatEndpoint(endpoint: Endpoint): string {
  if (endpoint.kind === 'unix') return `unix://${endpoint.path}`
  if (endpoint.kind === 'inherited') return `fd://${endpoint.descriptor}`
  const host = endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host
  return `tcp://${host}:${endpoint.port}`
}

/** Reads the files named by `--tlscacert`, `--tlscert` and `--tlskey`. Throws `invalidArgument` for a file that
 *  can't be read. */
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
