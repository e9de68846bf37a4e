/** Sends a file to a socket without passing through this process's memory: sendfile(2), in libuv's threads, so that
 *  reading from the disk does not block the main thread. */
import type { AbortOptions } from '../../base/index.ts'
import { closeFd, duplicateFd } from '../native/fd.ts'
import { errno, rawSyscall, syscall, systemError, threadedFunction } from '../native/ffi.ts'
import { FdPoll } from '../native/poll.ts'

/** Which part of a file to send. */
export interface SendFileOptions extends AbortOptions {
  /** Offset of the first byte. */
  readonly start: number
  readonly sizeBytes: number
  /** Called for each piece that the kernel accepted. */
  readonly onSent: (sizeBytes: number) => void
}

const prototype = 'int64_t sendfile(int output, int input, void *offset, size_t count)'
const seek = syscall('int64_t lseek(int fd, int64_t offset, int whence)')
const sendNow = rawSyscall(prototype)
const sendInThread = threadedFunction(prototype)
/** Large enough that waking a thread costs little. A call sends no more than the socket has room for. */
const pieceBytes = 1024 * 1024
/** The size of a second try on the calling thread, which only finds out why a thread's call failed. */
const probeBytes = 4096

/** Sends a part of the open file `file` to the non-blocking stream socket `socket`, and moves the file's position.
 *  Nothing else may write to the socket meanwhile. Resolves with the number of bytes sent, which is smaller if the file
 *  ends early. Rejects with a SystemError (EPIPE or ECONNRESET when the other side is gone), or with the signal's
 *  reason. Main thread only. */
export async function sendFile(socket: number, file: number, options: SendFileOptions): Promise<number> {
  const { start, sizeBytes, onSent, signal } = options
  seek(file, start, 0)
  // The socket's owner may close it while a thread uses it.
  const output = duplicateFd(socket)
  const room = new RoomInSocket(output, signal)
  let sent = 0
  try {
    while (sent < sizeBytes) {
      signal?.throwIfAborted()
      const left = sizeBytes - sent
      let count = await sendInThread(output, file, null, Math.min(left, pieceBytes))
      // The thread's errno can't be read here. A second call finds the reason.
      if (count < 0) count = sendNow(output, file, null, Math.min(left, probeBytes))
      if (count === 0) break
      if (count > 0) {
        sent += count
        onSent(count)
      } else if (count === -errno.EAGAIN) await room.wait()
      else if (count !== -errno.EINTR) throw systemError(count, 'sendfile')
    }
    return sent
  } finally {
    room.close()
    closeFd(output)
  }
}

/** Waits until a socket has room. */
class RoomInSocket {
  readonly #fd: number
  readonly #signal: AbortSignal | undefined
  #poll: FdPoll | undefined
  #wake = () => {}

  constructor(fd: number, signal: AbortSignal | undefined) {
    this.#fd = fd
    this.#signal = signal
    signal?.addEventListener('abort', this.#onRoom)
  }

  /** Resolves when there is room, when sending would report an error, or when the signal aborts. */
  wait(): Promise<void> {
    return new Promise((resolve) => {
      // It may have been given while a thread was sending: then it is not given again.
      if (this.#signal?.aborted === true) {
        resolve()
        return
      }
      this.#wake = resolve
      if (this.#poll === undefined) this.#poll = FdPoll.start(this.#fd, { write: true }, this.#onRoom)
      else this.#poll.update({ write: true })
    })
  }

  close(): void {
    this.#signal?.removeEventListener('abort', this.#onRoom)
    this.#poll?.stop()
  }

  readonly #onRoom = (): void => {
    this.#poll?.update({})
    this.#wake()
  }
}
