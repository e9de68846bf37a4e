/** The addresses on which the daemon serves the API. */
import { existsSync, mkdirSync, statSync, symlinkSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { conflict, invalidArgument } from '../base/index.ts'
import { type DaemonConfig, type ListenAddress, type TcpAccess, tcpAccess } from '../config/index.ts'
import { type Endpoint, type InheritedEndpoint, loadTls, type TcpEndpoint, type UnixEndpoint } from '../http/index.ts'
import type { ApiServer } from '../server/index.ts'
import { boundAddress } from '../sys/index.ts'
import type { ApiExposure } from './api-exposure.ts'
import type { RootAccess } from './roots/root-access.ts'

export interface ListenOnOptions {
  readonly server: ApiServer
  readonly config: DaemonConfig
  readonly exposure: ApiExposure
  /** Lets the socket's group pass through a root if the socket is below it. */
  readonly access: RootAccess
}

/** An address that passed the checks of `checkAddress`. */
type CheckedAddress =
  | { readonly kind: 'local'; readonly endpoint: UnixEndpoint | InheritedEndpoint }
  | {
      readonly kind: 'tcp'
      readonly endpoint: TcpEndpoint | InheritedEndpoint
      readonly host: string
      readonly port: number
      readonly access: TcpAccess
    }

/** Listens on one `-H`, and reports a TCP socket that takes clients without certificates to `exposure`. `dockerSocket`
 *  of the configuration becomes a link to the unix socket. Resolves with the endpoint and the port that was chosen.
 *  Throws a conflict for an address in use, and what `checkAddress` throws. */
export async function listenOn(
  { server, config, exposure, access: rootAccess }: ListenOnOptions,
  address: ListenAddress,
): Promise<Endpoint> {
  const checked = checkAddress(config, address)
  if (checked.kind === 'tcp') {
    const { host, access } = checked
    const tls = config.tls === undefined ? undefined : await loadConfiguredTls(config.tls)
    const guardedHost = access === 'loopback' ? host : undefined
    const endpoint = await server.listen({ ...checked.endpoint, tls }, { guardedHost })
    const port = endpoint.kind === 'tcp' ? endpoint.port : checked.port
    if (access !== 'verified') exposure.report({ host, port, access, isEncrypted: tls !== undefined })
    return endpoint
  }
  const { endpoint } = checked
  if (endpoint.kind === 'inherited') return await server.listen(endpoint)
  mkdirSync(join(endpoint.path, '..'), { recursive: true, mode: 0o755 })
  const listening = await server.listen(endpoint, { socketGroup: config.group })
  const { gid } = statSync(endpoint.path)
  rootAccess.openTo(endpoint.path, gid)
  if (config.dockerSocket !== undefined) {
    linkSocket(endpoint.path, config.dockerSocket)
    rootAccess.openTo(config.dockerSocket, gid)
  }
  return listening
}

/** Checks whether the daemon may listen on an address, without listening. Throws `invalidArgument` for a TCP socket
 *  that would be open to everyone although the user did not ask for that (see `tcpAccess`), for `fd://` without a
 *  descriptor (`ServiceManager` knows which there are), and for a descriptor that is no unix or TCP socket. */
export function checkAddress(config: DaemonConfig, address: ListenAddress): CheckedAddress {
  if (address.kind === 'unix') return { kind: 'local', endpoint: address }
  if (address.kind === 'tcp') {
    const { host, port } = address
    return { kind: 'tcp', endpoint: address, host, port, access: tcpAccess(host, config) }
  }
  const { descriptor } = address
  if (descriptor === undefined) throw invalidArgument('fd:// needs the number of a descriptor here')
  const endpoint: InheritedEndpoint = { kind: 'inherited', descriptor }
  const bound = addressOf(descriptor)
  if (bound === undefined) return { kind: 'local', endpoint }
  return { kind: 'tcp', endpoint, host: bound.address, port: bound.port, access: tcpAccess(bound.address, config) }
}

function addressOf(descriptor: number): ReturnType<typeof boundAddress> {
  try {
    return boundAddress(descriptor)
  } catch (cause) {
    throw invalidArgument(`fd://${descriptor}: the descriptor is no unix or TCP socket`, { cause })
  }
}

async function loadConfiguredTls(tls: NonNullable<DaemonConfig['tls']>): ReturnType<typeof loadTls> {
  return await loadTls({ ca: tls.caFile, cert: tls.certFile, key: tls.keyFile, verify: tls.verifyClients })
}

/** Only a dangling link or the daemon's own link is replaced. Any other file there belongs to another program. */
function linkSocket(socket: string, link: string): void {
  if (existsSync(link)) throw conflict(`${link} exists already and is not replaced`)
  try {
    symlinkSync(socket, link)
  } catch {
    unlinkSync(link)
    symlinkSync(socket, link)
  }
}
