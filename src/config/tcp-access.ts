/** The rule for TCP sockets. Every client of the API is root on the host, so the rule is strict: without client
 *  certificates the daemon listens on loopback addresses only, unless the user explicitly allowed more.
 *  dockerd has the same rule: https://docs.docker.com/engine/security/protect-access/ */
import { BlockList, isIP } from 'node:net'
import { invalidArgument } from '../base/index.ts'

/** Who can use the API on a socket. `verified`: clients with a certificate signed by `--tlscacert`. `loopback`: every
 *  program on this host. `open`: everyone who can reach the address. */
export type TcpAccess = 'verified' | 'loopback' | 'open'

/** The settings that decide about TCP sockets. */
export interface TcpPolicy {
  readonly tls: { readonly verifyClients: boolean } | undefined
  /** The user said `--tls=false`, or `--tls --tlsverify=false`: addresses other than loopback are allowed. */
  readonly allowsOpenTcp: boolean
}

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

/** True for 127.0.0.0/8 and ::1, also written as an IPv4-mapped IPv6 address. False for names. */
export function isLoopbackAddress(text: string): boolean {
  const family = isIP(text)
  return family !== 0 && loopback.check(text, family === 6 ? 'ipv6' : 'ipv4')
}

/** Decides who can use a socket on `host`, an IP address or a name. The only name that counts as loopback is
 *  `localhost`, because the meaning of other names can change after the check. Throws `invalidArgument` for an
 *  address that would be open to everyone although the user did not ask for that. */
export function tcpAccess(host: string, { tls, allowsOpenTcp }: TcpPolicy): TcpAccess {
  if (tls?.verifyClients === true) return 'verified'
  if (host === 'localhost' || isLoopbackAddress(host)) return 'loopback'
  if (allowsOpenTcp) return 'open'
  const optOut = tls === undefined ? '--tls=false' : '--tlsverify=false'
  throw invalidArgument(
    `refusing to listen on tcp address ${host} without client certificates: everyone who can reach it would be root on this host. Use --tlsverify, or a loopback address, or allow it with ${optOut}`,
  )
}
