/** From a file to a socket without passing through this process's memory: sendfile(2), in libuv's threads, so that a
 *  file which has to be read from the disk holds nobody up. */
import type { AbortOptions } from '../../base/index.ts'
import { closeFd, duplicateFd } from '../native/fd.ts'
import { errno, rawSyscall, syscall, systemError, threadedFunction } from '../native/ffi.ts'
import { FdPoll } from '../native/poll.ts'

export interface SendFileOptions extends AbortOptions {
  /** First byte of the file, and how many. */
  readonly start: number
  readonly sizeBytes: number
  /** Hears of every piece that the kernel took. */
  readonly onSent: (sizeBytes: number) => void
}

const prototype = 'int64_t sendfile(int output, int input, void *offset, size_t count)'
const seek = syscall('int64_t lseek(int fd, int64_t offset, int whence)')
const sendNow = rawSyscall(prototype)
const sendInThread = threadedFunction(prototype)
/** Enough for a thread's wake-up to cost little; as much as a socket holds is sent at once anyway. */
const pieceBytes = 1024 * 1024
/** What is tried on the calling thread, only to learn why a thread could send nothing. */
const probeBytes = 4096

/** Sends a part of the file `file`, whose position moves with it, to the non-blocking stream socket `socket`; nobody
 *  else may write to that meanwhile. Resolves with the bytes sent: fewer than asked for where the file ends before.
 *  Main thread only. Rejects with a SystemError (EPIPE, ECONNRESET: the other side is gone) or the signal's reason. */
export async function sendFile(socket: number, file: number, options: SendFileOptions): Promise<number> {
  const { start, sizeBytes, onSent, signal } = options
  seek(file, start, 0)
  // The socket's owner may close it while a thread is at it.
  const output = duplicateFd(socket)
  const room = new RoomInSocket(output, signal)
  let sent = 0
  try {
    while (sent < sizeBytes) {
      signal?.throwIfAborted()
      const left = sizeBytes - sent
      let count = await sendInThread(output, file, null, Math.min(left, pieceBytes))
      // The thread's errno is not ours to read: the same once more tells.
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

/** Waits until a socket takes more. */
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

  /** Resolves when there is room, or an error to be had by sending, or the signal was given. */
  wait(): Promise<void> {
    return new Promise((resolve) => {
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
