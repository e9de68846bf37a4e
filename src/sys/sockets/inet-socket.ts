/** Internet sockets as plain descriptors. A socket belongs to the network namespace in which it was created. So sockets
 *  in a container's namespace are opened here, synchronously, within `inNetworkNamespace`. Node's `dgram` and `net` can
 *  then take over the descriptor. */
import { isIPv6 } from 'node:net'
import { closeFd } from '../native/fd.ts'
import { errno, nativeFunction, rawSyscall, syscall, systemError } from '../native/ffi.ts'
import { addressBytes, addressText } from '../native/ip-bytes.ts'

/** A bound socket and its local port. The caller closes the descriptor. */
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

/** Opens a UDP socket on an address; port 0 means any free port. Throws the system's error (EADDRINUSE,
 *  EADDRNOTAVAIL). */
export function bindDatagramSocket(address: string, port = 0): BoundSocket {
  return bindSocket(SOCK_DGRAM, address, port)
}

/** Opens a listening TCP socket on an address; port 0 means any free port. Throws the system's error. */
export function listenOnSocket(address: string, port = 0): BoundSocket {
  return bindSocket(SOCK_STREAM, address, port)
}

/** Starts to connect a TCP socket and returns its descriptor. Writes wait for the connection; the first one reports a
 *  failure. Throws errors that the kernel reports at once (ENETUNREACH, …). */
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

/** The address and port that a socket is bound to; undefined for a unix socket. Throws ENOTSOCK or EBADF when the
 *  descriptor is not a socket, and EAFNOSUPPORT for a socket of another family. */
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

/** The socket's name; the path of a unix socket may be cut off. */
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
    bytes.set(addressBytes(host), 4)
    return bytes
  }
  bytes.writeUInt16LE(AF_INET6, 0)
  bytes.set(addressBytes(host), 8)
  if (zone !== undefined) bytes.writeUInt32LE(/^\d+$/.test(zone) ? Number(zone) : interfaceIndex(zone), 24)
  return bytes
}

function bare(address: string): string {
  return address.split('%')[0] ?? ''
}
