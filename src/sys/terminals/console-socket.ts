/** The listening end of an OCI runtime's `--console-socket`. The runtime connects and sends the master side of the
 *  terminal that it opened, as a descriptor (SCM_RIGHTS, unix(7)). */
import { unlinkSync } from 'node:fs'
import { BerthError, errnoOf } from '../../base/index.ts'
import { closeFd } from '../native/fd.ts'
import { errno, loadKoffi, rawSyscall, syscall, systemError } from '../native/ffi.ts'
import { FdPoll } from '../native/poll.ts'
import { withUnixAddress } from '../native/unix-address.ts'

const socketCall = syscall('int socket(int domain, int type, int protocol)')
const bindCall = syscall('int bind(int fd, const void *address, uint32_t length)')
const listenCall = syscall('int listen(int fd, int backlog)')
const acceptCall = rawSyscall('int accept4(int fd, void *address, void *length, int flags)')
const recvmsgCall = rawSyscall('int64_t recvmsg(int fd, void *message, int flags)')

const afUnix = 1
const sockStream = 1
const nonblockCloexec = 0o2004000
const solSocket = 1
const scmRights = 1
const msgCmsgCloexec = 0x40000000
const controlBytes = 64
const controlLengthOffset = 40
const dataBytes = 4096

/** Listens on a unix socket for one descriptor. Main thread only. */
export class ConsoleSocket {
  readonly path: string
  /** Resolves with the descriptor, which is close-on-exec; the caller closes it. Rejects with `cancelled` when the
   *  socket is closed before, and with EPROTO for a message without a descriptor. */
  readonly received: Promise<number>
  readonly #listener: number
  readonly #resolve: (fd: number) => void
  readonly #reject: (error: Error) => void
  #poll: FdPoll | undefined
  #connection: number | undefined
  #closed = false

  private constructor(path: string, listener: number) {
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    // A caller that gives up before awaiting must not turn close() into an unhandled rejection.
    promise.catch(() => {})
    this.path = path
    this.received = promise
    this.#listener = listener
    this.#resolve = resolve
    this.#reject = reject
  }

  /** Listens at a path that must not exist. Throws the system's error. */
  static listen(path: string): ConsoleSocket {
    const listener = socketCall(afUnix, sockStream | nonblockCloexec, 0)
    try {
      withUnixAddress(path, (address) => bindCall(listener, address, address.byteLength))
      listenCall(listener, 1)
      const socket = new ConsoleSocket(path, listener)
      socket.#poll = FdPoll.start(listener, { read: true }, () => socket.#accept())
      return socket
    } catch (error) {
      closeFd(listener)
      throw error
    }
  }

  /** Stops listening and removes the socket file; the received descriptor stays open. Idempotent. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#poll?.stop()
    if (this.#connection !== undefined) closeFd(this.#connection)
    closeFd(this.#listener)
    removeIfThere(this.path)
    this.#reject(new BerthError('cancelled', 'the console socket was closed'))
  }

  #accept(): void {
    const connection = acceptCall(this.#listener, null, null, nonblockCloexec)
    if (connection === -errno.EAGAIN) return
    if (connection < 0) {
      this.#fail(systemError(connection, 'accept', this.path))
      return
    }
    this.#connection = connection
    this.#poll?.stop()
    this.#poll = FdPoll.start(connection, { read: true }, () => this.#receive(connection))
  }

  #receive(connection: number): void {
    const result = receiveFd(connection)
    if (result === -errno.EAGAIN) return
    if (result < 0) {
      this.#fail(systemError(result, 'recvmsg', this.path))
      return
    }
    this.#resolve(result)
    this.close()
  }

  #fail(error: Error): void {
    this.#reject(error)
    this.close()
  }
}

/** The memory of a `struct msghdr`. It is never freed, because the structure contains addresses that the garbage
 *  collector does not know. */
interface MessageMemory {
  readonly message: Buffer
  readonly vector: Buffer
  readonly data: Buffer
  readonly control: Buffer
}

let memory: MessageMemory | undefined

/** Reads one message. Returns the descriptor in it, or a negative errno (`-errno.EPROTO` when it has none). */
function receiveFd(connection: number): number {
  memory ??= allocateMessage()
  const { message, control } = memory
  message.writeBigUInt64LE(BigInt(control.byteLength), controlLengthOffset)
  control.fill(0)
  const count = recvmsgCall(connection, message, msgCmsgCloexec)
  if (count < 0) return count
  const length = Number(message.readBigUInt64LE(controlLengthOffset))
  // struct cmsghdr: length (8), level (4), type (4), then the descriptor.
  const found = length >= 20 && control.readInt32LE(8) === solSocket && control.readInt32LE(12) === scmRights
  return found ? control.readInt32LE(16) : -errno.EPROTO
}

/** struct msghdr of 64-bit Linux: name, its length, vector, its length, control, its length, flags. */
function allocateMessage(): MessageMemory {
  const { address } = loadKoffi()
  const data = Buffer.allocUnsafeSlow(dataBytes)
  const control = Buffer.alloc(controlBytes)
  const vector = Buffer.alloc(16)
  vector.writeBigUInt64LE(address(data), 0)
  vector.writeBigUInt64LE(BigInt(dataBytes), 8)
  const message = Buffer.alloc(56)
  message.writeBigUInt64LE(address(vector), 16)
  message.writeBigUInt64LE(1n, 24)
  message.writeBigUInt64LE(address(control), 32)
  return { message, vector, data, control }
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    // ENOENT: the owner of the directory has removed it already.
    if (errnoOf(error) !== 'ENOENT') throw error
  }
}
