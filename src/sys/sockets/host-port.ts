/** Reserves ports of the host: a bound socket keeps other programs from using the port, but serves no connections. */
import { closeFd } from '../native/fd.ts'
import { errno, rawSyscall, syscall, systemError } from '../native/ffi.ts'
import { addressBytes } from '../native/ip-bytes.ts'

/** A bound port. */
export interface BoundPort {
  /** Makes the kernel refuse the port even to programs that reuse addresses. Call this only when the packet filter
   *  already redirects connections: the kernel accepts those that still arrive here. Throws EADDRINUSE. */
  seal(): void
  /** Gives the socket to the caller, who must close it. */
  takeFd(): number
  /** Releases the port. Idempotent. */
  close(): void
}

const AF_INET = 2
const AF_INET6 = 10
const IPPROTO_IPV6 = 41
const IPV6_V6ONLY = 26
const SOCK_CLOEXEC = 0o2000000
const kinds = {
  tcp: { type: 1, protocol: 6 },
  udp: { type: 2, protocol: 17 },
  sctp: { type: 1, protocol: 132 },
} as const
const SOL_SOCKET = 1
const SO_REUSEADDR = 2

const socketCall = rawSyscall('int socket(int domain, int type, int protocol)')
const setOption = syscall('int setsockopt(int fd, int level, int name, const void *value, uint32_t length)')
const bindCall = rawSyscall('int bind(int fd, const void *address, uint32_t length)')
const listenCall = rawSyscall('int listen(int fd, int backlog)')

/** Binds a port on an address of the host; on an IPv6 address, for IPv6 only. Throws EADDRINUSE, EADDRNOTAVAIL or
 *  EACCES. Undefined when the kernel does not support the protocol, which is frequent for SCTP; then no program can use
 *  the port. */
export function bindHostPort(protocol: keyof typeof kinds, address: string, port: number): BoundPort | undefined {
  const kind = kinds[protocol]
  const bytes = addressBytes(address)
  const isIpv6 = bytes.length === 16
  const fd = socketCall(isIpv6 ? AF_INET6 : AF_INET, kind.type | SOCK_CLOEXEC, kind.protocol)
  if (fd === -errno.EPROTONOSUPPORT) return undefined
  if (fd < 0) throw systemError(fd, 'socket')
  try {
    // Connections in TIME_WAIT, which an earlier listener left, must not block the port.
    if (protocol === 'tcp') setOption(fd, SOL_SOCKET, SO_REUSEADDR, Buffer.from([1, 0, 0, 0]), 4)
    if (isIpv6) setOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, Buffer.from([1, 0, 0, 0]), 4)
    // `struct sockaddr_in` or `sockaddr_in6`. The latter has a flow label before the address, and a scope after it.
    const socketAddress = Buffer.alloc(isIpv6 ? 28 : 16)
    socketAddress.writeUInt16LE(isIpv6 ? AF_INET6 : AF_INET, 0)
    socketAddress.writeUInt16BE(port, 2)
    socketAddress.set(bytes, isIpv6 ? 8 : 4)
    const result = bindCall(fd, socketAddress, socketAddress.length)
    if (result < 0) throw systemError(result, 'bind', `${address}:${port}`)
  } catch (error) {
    closeFd(fd)
    throw error
  }
  return new Binding(fd, protocol)
}

class Binding implements BoundPort {
  #fd: number
  readonly #protocol: string

  constructor(fd: number, protocol: string) {
    this.#fd = fd
    this.#protocol = protocol
  }

  seal(): void {
    if (this.#fd === -1 || this.#protocol !== 'tcp') return
    const result = listenCall(this.#fd, 0)
    if (result < 0) throw systemError(result, 'listen')
  }

  takeFd(): number {
    const fd = this.#fd
    this.#fd = -1
    return fd
  }

  close(): void {
    if (this.#fd === -1) return
    closeFd(this.#fd)
    this.#fd = -1
  }
}
