/** Where the daemon's API is served. */
import { existsSync, mkdirSync, readFileSync, readlinkSync, statSync, symlinkSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { conflict, invalidArgument } from '../base/index.ts'
import type { DaemonConfig, ListenAddress } from '../config/index.ts'
import { type Endpoint, loadTls, type TlsMaterial } from '../http/index.ts'
import type { ApiServer } from '../server/index.ts'
import type { RootAccess } from './root-access.ts'

export interface ListenParts {
  readonly server: ApiServer
  readonly config: DaemonConfig
  /** Lets the socket's group pass when the socket is below a root. */
  readonly access: RootAccess
}

/** Listens on one `-H`. `dockerSocket` of the configuration becomes a link to the unix socket. Throws a conflict for
 *  an address in use, `invalidArgument` for `fd://` without a descriptor (`ServiceManager` knows which there are). */
export async function listenOn({ server, config, access }: ListenParts, address: ListenAddress): Promise<Endpoint> {
  if (address.kind === 'tcp') return server.listen({ ...address, tls: await loadConfiguredTls(config) })
  if (address.kind === 'inherited') {
    const { descriptor } = address
    if (descriptor === undefined) throw invalidArgument('fd:// needs the number of a descriptor here')
    const tls = isInternetSocket(descriptor) ? await loadConfiguredTls(config) : undefined
    return server.listen({ kind: 'inherited', descriptor, tls })
  }
  mkdirSync(join(address.path, '..'), { recursive: true, mode: 0o755 })
  const endpoint = await server.listen({ kind: 'unix', path: address.path }, { socketGroup: config.group })
  const { gid } = statSync(address.path)
  access.openTo(address.path, gid)
  if (config.dockerSocket !== undefined) {
    linkSocket(address.path, config.dockerSocket)
    access.openTo(config.dockerSocket, gid)
  }
  return endpoint
}

async function loadConfiguredTls({ tls }: DaemonConfig): Promise<TlsMaterial | undefined> {
  if (tls === undefined) return undefined
  return await loadTls({ ca: tls.caFile, cert: tls.certFile, key: tls.keyFile, verify: tls.verifyClients })
}

/** Sockets are named by inode in proc(5); the table of unix sockets has those of its kind. */
function isInternetSocket(descriptor: number): boolean {
  const [, inode] = /^socket:\[(\d+)\]$/.exec(readDescriptor(descriptor)) ?? []
  if (inode === undefined) throw invalidArgument(`fd://${descriptor}: the descriptor is no socket`)
  return !new RegExp(`^[^\n]* ${inode}(?: |$)`, 'm').test(readFileSync('/proc/net/unix', 'utf8'))
}

function readDescriptor(descriptor: number): string {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`)
  } catch {
    return ''
  }
}

/** Only a dangling link or our own is replaced: a real socket there belongs to somebody else. */
function linkSocket(socket: string, link: string): void {
  if (existsSync(link)) throw conflict(`${link} exists already and is not replaced`)
  try {
    symlinkSync(socket, link)
  } catch {
    unlinkSync(link)
    symlinkSync(socket, link)
  }
}
