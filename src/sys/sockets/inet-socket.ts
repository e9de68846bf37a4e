/** Internet sockets as bare descriptors. A socket belongs to the network namespace in which it is made, so servers
 *  and clients of a container's namespace are opened here, synchronously, inside `inNetworkNamespace`; Node's own
 *  `dgram` and `net` then take the descriptor over. */
import { isIPv6 } from 'node:net'
import { closeFd } from '../native/fd.ts'
import { errno, nativeFunction, rawSyscall, syscall, systemError } from '../native/ffi.ts'
import { addressText } from '../native/ip-bytes.ts'

/** A descriptor with the local port that it got. */
export interface BoundSocket {
  readonly fd: number
  readonly port: number
}

const AF_UNIX = 1
const AF_INET = 2
const AF_INET6 = 10
const SOCK_STREAM = 1
const SOCK_DGRAM = 2
const SOCK_NONBLOCK = 0o4000
const SOCK_CLOEXEC = 0o2000000
const listenBacklog = 128

const socketCall = syscall('int socket(int domain, int type, int protocol)')
const bindCall = rawSyscall('int bind(int fd, const void *address, uint32_t length)')
const listenCall = syscall('int listen(int fd, int backlog)')
const connectCall = rawSyscall('int connect(int fd, const void *address, uint32_t length)')
const interfaceIndex = nativeFunction('uint32_t if_nametoindex(const char *name)')
const getSockName = syscall('int getsockname(int fd, _Out_ void *address, uint32_t *length)')

/** A UDP socket bound to an address; port 0 takes a free one. Throws the system's error (EADDRINUSE, EADDRNOTAVAIL). */
export function bindDatagramSocket(address: string, port = 0): BoundSocket {
  return bindSocket(SOCK_DGRAM, address, port)
}

/** A listening TCP socket; port 0 takes a free one. Throws the system's error. */
export function listenOnSocket(address: string, port = 0): BoundSocket {
  return bindSocket(SOCK_STREAM, address, port)
}

/** A TCP socket that is connecting (or connected): writes wait, and the first of them reports a failure. Throws what
 *  the kernel says at once (ENETUNREACH, …). */
export function connectStreamSocket(address: string, port: number): number {
  return openSocket(SOCK_STREAM, address, (fd) => {
    const peer = socketAddress(address, port)
    const result = connectCall(fd, peer, peer.length)
    if (result < 0 && result !== -errno.EINPROGRESS) throw systemError(result, 'connect', `${address}:${port}`)
    return fd
  })
}

function bindSocket(type: number, address: string, port: number): BoundSocket {
  return openSocket(type, address, (fd) => {
    const wanted = socketAddress(address, port)
    const result = bindCall(fd, wanted, wanted.length)
    if (result < 0) throw systemError(result, 'bind', `${address}:${port}`)
    if (type === SOCK_STREAM) listenCall(fd, listenBacklog)
    return { fd, port: port === 0 ? localPort(fd) : port }
  })
}

function openSocket<T>(type: number, address: string, use: (fd: number) => T): T {
  const fd = socketCall(isIPv6(bare(address)) ? AF_INET6 : AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)
  try {
    return use(fd)
  } catch (error) {
    closeFd(fd)
    throw error
  }
}

/** The address and port that a socket is bound to; undefined for a unix socket. Throws the system's error when the
 *  descriptor is no socket (ENOTSOCK, EBADF) or of another family (EAFNOSUPPORT). */
export function boundAddress(fd: number): { readonly address: string; readonly port: number } | undefined {
  const name = socketName(fd)
  const family = name.readUInt16LE(0)
  if (family === AF_UNIX) return undefined
  if (family !== AF_INET && family !== AF_INET6) throw systemError(-errno.EAFNOSUPPORT, 'getsockname', `fd ${fd}`)
  const address = addressText(family === AF_INET ? name.subarray(4, 8) : name.subarray(8, 24))
  return { address, port: name.readUInt16BE(2) }
}

function localPort(fd: number): number {
  return socketName(fd).readUInt16BE(2)
}

/** As much of the socket's name as fits; a path of a unix socket is cut. */
function socketName(fd: number): Buffer {
  const address = Buffer.alloc(28)
  const length = Uint32Array.of(address.length)
  getSockName(fd, address, length)
  return address
}

/** `struct sockaddr_in` or `sockaddr_in6`; the port is in network order in both. */
function socketAddress(address: string, port: number): Buffer {
  const [host = '', zone] = address.split('%')
  const bytes = Buffer.alloc(isIPv6(host) ? 28 : 16)
  bytes.writeUInt16BE(port, 2)
  if (!isIPv6(host)) {
    bytes.writeUInt16LE(AF_INET, 0)
    bytes.set(host.split('.').map(Number), 4)
    return bytes
  }
  bytes.writeUInt16LE(AF_INET6, 0)
  bytes.set(ipv6Bytes(host), 8)
  if (zone !== undefined) bytes.writeUInt32LE(/^\d+$/.test(zone) ? Number(zone) : interfaceIndex(zone), 24)
  return bytes
}

/** The 16 bytes of an IPv6 address, also with an IPv4 address at its end. */
function ipv6Bytes(address: string): number[] {
  const text = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_all, ...parts: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = parts.slice(0, 4).map(Number)
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
  })
  const [head = '', tail] = text.split('::')
  const groups = (part: string) => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)))
  const before = groups(head)
  const after = tail === undefined ? [] : groups(tail)
  const middle = tail === undefined ? [] : Array<number>(8 - before.length - after.length).fill(0)
  return [...before, ...middle, ...after].flatMap((group) => [group >> 8, group & 255])
}

function bare(address: string): string {
  return address.split('%')[0] ?? ''
}
