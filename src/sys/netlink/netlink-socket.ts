/** A netlink socket with synchronous requests and replies. The kernel handles a request within `sendto`, so the replies
 *  are there when it returns. The socket stays in the network namespace in which it was opened. netlink(7) */
import { errno, loadKoffi, nativeFunction, rawSyscall, syscall, systemError } from '../native/ffi.ts'
import {
  attributeText,
  formatRequest,
  type NetlinkReply,
  type NetlinkRequest,
  netlinkFlags,
  parseAttributes,
  parseReplies,
} from './netlink-codec.ts'

const AF_NETLINK = 16
const SOCK_RAW_CLOEXEC = 0x80003
const SOL_SOCKET = 1
const SO_RCVTIMEO = 20
const SO_RCVBUFFORCE = 33
/** Buffer for pending notifications, as the kernel counts it; each takes about 1 KiB. */
const notificationBytes = 16 * 1024 * 1024
const SOL_NETLINK = 270
const NETLINK_ADD_MEMBERSHIP = 1
const NETLINK_CAP_ACK = 10
const NETLINK_EXT_ACK = 11
const MSG_DONTWAIT = 0x40
const NLMSG_ERROR = 2
const NLMSG_DONE = 3
const NLM_F_ACK_TLVS = 0x200
const NLM_F_CAPPED = 0x100
const NLMSGERR_ATTR_MSG = 1

const socketCall = syscall('int socket(int domain, int type, int protocol)')
const setOption = syscall('int setsockopt(int fd, int level, int name, const void *value, uint32_t length)')
const sendPrototype = 'intptr_t send(int fd, const void *bytes, size_t length, int flags)'
const send = syscall(sendPrototype)
const receive = rawSyscall('intptr_t recv(int fd, _Out_ uint8_t *bytes, size_t length, int flags)')
const bindCall = syscall('int bind(int fd, const void *address, uint32_t length)')
const getSockName = syscall('int getsockname(int fd, _Out_ void *address, uint32_t *length)')
const closeCall = nativeFunction('int close(int fd)')

/** `struct sockaddr_nl` with address 0, which lets the kernel choose one. */
const anyAddress = Buffer.from([AF_NETLINK, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
/** One datagram of a dump is at most 32 KiB. */
const receiveBuffer = Buffer.alloc(64 * 1024)

/** An open netlink socket. Its methods throw the system's error unless they say otherwise. */
export class NetlinkSocket {
  readonly #fd: number
  #sequence = 0
  #open = true

  private constructor(fd: number) {
    this.#fd = fd
  }

  /** Opens a socket of a protocol (NETLINK_ROUTE 0, NETLINK_NETFILTER 12) in the calling thread's network namespace.
   *  With `group`, it receives the notifications of that multicast group. */
  static open(protocol: number, { group }: { readonly group?: number } = {}): NetlinkSocket {
    const fd = socketCall(AF_NETLINK, SOCK_RAW_CLOEXEC, protocol)
    const on = Buffer.from([1, 0, 0, 0])
    if (group !== undefined) {
      // The kernel sends no notifications to a socket without an address, which is the kernel's own.
      bindCall(fd, anyAddress, anyAddress.length)
      setOption(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, Buffer.from([group, 0, 0, 0]), 4)
      // A thousand new or removed ports cause a thousand notifications.
      const room = Buffer.alloc(4)
      room.writeInt32LE(notificationBytes)
      setOption(fd, SOL_SOCKET, SO_RCVBUFFORCE, room, 4)
    }
    setOption(fd, SOL_NETLINK, NETLINK_CAP_ACK, on, on.length)
    setOption(fd, SOL_NETLINK, NETLINK_EXT_ACK, on, on.length)
    // A missing reply must not block the daemon forever.
    const timeout = Buffer.alloc(16)
    timeout.writeBigInt64LE(10n, 0)
    setOption(fd, SOL_SOCKET, SO_RCVTIMEO, timeout, timeout.length)
    return new NetlinkSocket(fd)
  }

  /** Sends all requests in one call, and waits for the result of each that asks for one. The kernel continues after a
   *  failed request. When all results are there, the first failure is thrown. */
  execute(requests: readonly NetlinkRequest[]): void {
    const { pending, bytes } = this.#format(requests)
    send(this.#fd, bytes, bytes.length, 0)
    this.#collect(pending)
  }

  /** Does the same as `execute` for requests that take the kernel tens of milliseconds: a thread of the pool waits. */
  async executeInBackground(requests: readonly NetlinkRequest[]): Promise<void> {
    const { pending, bytes } = this.#format(requests)
    await sendInBackground(this.#fd, bytes)
    this.#collect(pending)
  }

  #collect(pending: Map<number, NetlinkRequest>): void {
    let failure: Error | undefined
    while (pending.size > 0) {
      for (const reply of this.#receive()) {
        const request = pending.get(reply.sequence)
        if (request === undefined || reply.type !== NLMSG_ERROR) continue
        pending.delete(reply.sequence)
        failure ??= errorOf(reply, request)
        // The kernel ignores the rest of a failed nfnetlink batch, so no other result will come.
        if (failure !== undefined && request.type >= 0x100 && request.type >> 8 === 10) pending.clear()
      }
    }
    if (failure !== undefined) throw failure
  }

  /** Sends one request, a dump or one that asks for an acknowledgment, and returns all messages that answer it. */
  query(request: NetlinkRequest): NetlinkReply[] {
    const { pending, bytes } = this.#format([request])
    const [sequence] = pending.keys()
    send(this.#fd, bytes, bytes.length, 0)
    const found: NetlinkReply[] = []
    for (;;) {
      for (const reply of this.#receive()) {
        if (reply.sequence !== sequence) continue
        if (reply.type === NLMSG_DONE) return found
        if (reply.type === NLMSG_ERROR) {
          const failure = errorOf(reply, request)
          if (failure !== undefined) throw failure
          return found
        }
        found.push(reply)
      }
    }
  }

  /** The descriptor, for polling. */
  get fd(): number {
    return this.#fd
  }

  /** The socket's own address, which is in its requests and in the notifications of their effects. */
  get address(): number {
    const address = Buffer.alloc(12)
    address.writeUInt16LE(AF_NETLINK, 0)
    const number = () => {
      getSockName(this.#fd, address, Uint32Array.of(address.length))
      return address.readUInt32LE(4)
    }
    const given = number()
    if (given !== 0) return given
    bindCall(this.#fd, anyAddress, anyAddress.length)
    return number()
  }

  /** The messages in one pending datagram, or a negative errno (`-errno.EAGAIN` when there is none). */
  receiveNow(): NetlinkReply[] | number {
    const length = receive(this.#fd, receiveBuffer, receiveBuffer.length, MSG_DONTWAIT)
    return length < 0 ? length : parseReplies(receiveBuffer.subarray(0, length))
  }

  /** Closes the socket. Idempotent. */
  close(): void {
    if (!this.#open) return
    this.#open = false
    closeCall(this.#fd)
  }

  #format(requests: readonly NetlinkRequest[]): { pending: Map<number, NetlinkRequest>; bytes: Buffer } {
    const pending = new Map<number, NetlinkRequest>()
    const parts = requests.map((request) => {
      this.#sequence += 1
      if ((request.flags & netlinkFlags.ack) !== 0 || requests.length === 1) pending.set(this.#sequence, request)
      return formatRequest(request, this.#sequence)
    })
    return { pending, bytes: Buffer.concat(parts) }
  }

  #receive(): NetlinkReply[] {
    const length = receive(this.#fd, receiveBuffer, receiveBuffer.length, 0)
    if (length === -errno.EINTR) return []
    if (length < 0) throw systemError(length, 'recv', 'netlink')
    return parseReplies(receiveBuffer.subarray(0, length))
  }
}

type BackgroundSend = (
  fd: number,
  bytes: Buffer,
  length: number,
  flags: number,
  done: (error: Error | null, result: number) => void,
) => void
let backgroundSend: BackgroundSend | undefined

function sendInBackground(fd: number, bytes: Buffer): Promise<void> {
  backgroundSend ??= loadKoffi().load(null).func(sendPrototype).async as BackgroundSend
  const start = backgroundSend
  return new Promise((resolve, reject) => {
    start(fd, bytes, bytes.length, 0, (error, result) => {
      // errno belongs to the other thread and is lost. EIO stands for any failure.
      if (error === null && result === bytes.length) resolve()
      else reject(error ?? systemError(errno.EIO, 'send', 'netlink'))
    })
  })
}

/** The failure that an NLMSG_ERROR reports; undefined when it is an acknowledgment. */
function errorOf(reply: NetlinkReply, request: NetlinkRequest): Error | undefined {
  const number = reply.body.readInt32LE(0)
  if (number === 0) return undefined
  const error = systemError(number, 'netlink', request.label)
  const text = kernelText(reply)
  return text === '' ? error : Object.assign(error, { message: `${error.message}: ${text}` })
}

/** The kernel's own message, which follows the header of the failed request, and its body unless that was left out. */
function kernelText(reply: NetlinkReply): string {
  if ((reply.flags & NLM_F_ACK_TLVS) === 0) return ''
  const echoed = (reply.flags & NLM_F_CAPPED) === 0 ? reply.body.readUInt32LE(4) : 16
  return attributeText(parseAttributes(reply.body, 4 + ((echoed + 3) & ~3)).get(NLMSGERR_ATTR_MSG))
}
