/** Keeping a port of the host busy: a socket that is bound, so that no other program takes the port, but serves nobody. */
import { closeFd } from '../native/fd.ts'
import { errno, rawSyscall, syscall, systemError } from '../native/ffi.ts'
import { addressBytes } from '../native/ip-bytes.ts'

/** A bound port. */
export interface BoundPort {
  /** Makes the port refuse other programs that reuse addresses, too. To be called when the packet filter already
   *  sends connections elsewhere: from here on the kernel would accept them. */
  seal(): void
  /** Gives the socket away: whoever takes it closes it. */
  takeFd(): number
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

/** Binds a port of an address, that of an IPv6 address for IPv6 alone. Throws the system's error: EADDRINUSE, EADDRNOTAVAIL, EACCES.
 *  Undefined when the kernel does not know the protocol (SCTP often): then nobody else can use the port either. */
export function bindHostPort(protocol: keyof typeof kinds, address: string, port: number): BoundPort | undefined {
  const kind = kinds[protocol]
  const bytes = addressBytes(address)
  const isIpv6 = bytes.length === 16
  const fd = socketCall(isIpv6 ? AF_INET6 : AF_INET, kind.type | SOCK_CLOEXEC, kind.protocol)
  if (fd === -errno.EPROTONOSUPPORT) return undefined
  if (fd < 0) throw systemError(fd, 'socket')
  try {
    // A listener that ended a moment ago leaves connections in TIME_WAIT, which must not count as taken.
    if (protocol === 'tcp') setOption(fd, SOL_SOCKET, SO_REUSEADDR, Buffer.from([1, 0, 0, 0]), 4)
    if (isIpv6) setOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, Buffer.from([1, 0, 0, 0]), 4)
    // `struct sockaddr_in` and `sockaddr_in6`: the latter has a flow label before the address, a scope behind it.
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
