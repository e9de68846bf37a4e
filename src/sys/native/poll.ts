/** Watches any descriptor (pidfd, pipe, netlink, inotify, SEQPACKET) on Node's own event loop.
 *  The node binary exports libuv's C interface, so koffi can use its poll handles. Two native callbacks serve all
 *  handles of the process; a handle's address identifies its FdPoll.
 *  Invariants: a handle's memory lives until uv_close called back; a descriptor has at most one FdPoll (libuv's rule).
 *  Main thread only, because libuv's default loop belongs to the main thread. */
import { internal } from '../../base/index.ts'
import { loadKoffi, nativeFunction, systemError } from './ffi.ts'

/** The events to wait for; in the callback, those that happened. */
export interface PollEvents {
  readonly read?: boolean | undefined
  readonly write?: boolean | undefined
}

/** Options of everything that watches a descriptor. */
export interface PollOptions {
  /** True lets the process exit while this descriptor is watched. Default: false. */
  readonly unref?: boolean | undefined
}

const uvPollType = 8
const uvReadable = 1
const uvWritable = 2

const uvDefaultLoop = nativeFunction<bigint>('void *uv_default_loop()')
const uvHandleSize = nativeFunction('size_t uv_handle_size(int type)')
const uvPollInit = nativeFunction('int uv_poll_init(void *loop, void *handle, int fd)')
const uvPollStart = nativeFunction('int uv_poll_start(void *handle, int events, void *callback)')
const uvClose = nativeFunction<void>('void uv_close(void *handle, void *callback)')
const uvUnref = nativeFunction<void>('void uv_unref(void *handle)')

/** One shared object per combination, so that events allocate nothing. */
const eventObjects: readonly PollEvents[] = [
  Object.freeze({ read: false, write: false }),
  Object.freeze({ read: true, write: false }),
  Object.freeze({ read: false, write: true }),
  Object.freeze({ read: true, write: true }),
]

interface NativeSide {
  readonly loop: bigint
  readonly handleSize: number
  readonly pollCallback: bigint
  readonly closeCallback: bigint
}

let nativeSide: NativeSide | undefined
const polls = new Map<bigint, FdPoll>()
let drainScheduled = false

/** Calls back whenever a descriptor is readable or writable (level-triggered), until it is stopped. */
export class FdPoll {
  readonly #handle: bigint
  readonly #callback: (events: PollEvents) => void
  #events: number
  #stopped = false

  private constructor(handle: bigint, events: number, callback: (events: PollEvents) => void) {
    this.#handle = handle
    this.#events = events
    this.#callback = callback
  }

  /** Starts to watch and makes the descriptor non-blocking. It must stay open until `stop()`. Throws EPERM for a
   *  descriptor that can't be polled, such as a file's, and `internal` outside the main thread. */
  static start(fd: number, events: PollEvents, callback: (events: PollEvents) => void, options: PollOptions = {}) {
    const native = (nativeSide ??= openNativeSide())
    const koffi = loadKoffi()
    const handle = koffi.alloc('uint8_t', native.handleSize) as bigint
    const status = uvPollInit(native.loop, handle, fd)
    if (status < 0) {
      // libuv refused before the handle joined the loop, so it needs no uv_close.
      koffi.free(handle)
      throw systemError(status, 'poll')
    }
    const poll = new FdPoll(handle, toMask(events), callback)
    polls.set(handle, poll)
    if (options.unref === true) uvUnref(handle)
    poll.#arm()
    return poll
  }

  /** Changes the events to wait for. `{}` pauses the watch. */
  update(events: PollEvents): void {
    const mask = toMask(events)
    if (this.#stopped || mask === this.#events) return
    this.#events = mask
    this.#arm()
  }

  /** Ends the watch. The descriptor may be closed right after. Idempotent. */
  stop(): void {
    if (this.#stopped) return
    this.#stopped = true
    polls.delete(this.#handle)
    // uv_close removes the descriptor from the epoll set at once, and calls back in a later turn of the loop.
    uvClose(this.#handle, (nativeSide ??= openNativeSide()).closeCallback)
  }

  /** Called by the native callback. An error status means POLLERR; libuv has then stopped the handle. */
  static dispatch(handle: bigint, status: number, mask: number): void {
    const poll = polls.get(handle)
    if (poll === undefined) return
    const failed = status < 0
    try {
      // After POLLERR, the owner's next read or write reports the reason.
      poll.#callback(eventObjects[failed ? poll.#events : mask & 3] ?? {})
    } finally {
      if (failed && !poll.#stopped) poll.#arm()
    }
  }

  #arm(): void {
    const status = uvPollStart(this.#handle, this.#events, (nativeSide ??= openNativeSide()).pollCallback)
    if (status < 0) {
      this.stop()
      throw systemError(status, 'poll')
    }
  }
}

function openNativeSide(): NativeSide {
  if (!process.getBuiltinModule('node:worker_threads').isMainThread)
    throw internal('FdPoll works on the main thread only')
  const koffi = loadKoffi()
  const pollProto = koffi.pointer(koffi.proto('void', ['void *', 'int', 'int']))
  const closeProto = koffi.pointer(koffi.proto('void', ['void *']))
  return {
    loop: uvDefaultLoop(),
    handleSize: uvHandleSize(uvPollType),
    pollCallback: koffi.register(onPoll, pollProto),
    closeCallback: koffi.register((handle: bigint) => koffi.free(handle), closeProto),
  }
}

function onPoll(handle: bigint, status: number, mask: number): void {
  // Node runs microtasks only after its own callbacks. One immediate per turn makes it run them right after libuv's
  // poll phase, so that promises that were resolved here continue without delay.
  if (!drainScheduled) {
    drainScheduled = true
    setImmediate(onDrained)
  }
  try {
    FdPoll.dispatch(handle, status, mask)
  } catch (error) {
    // koffi would drop the exception. So it is thrown again, as an uncaught one.
    queueMicrotask(() => {
      throw error
    })
  }
}

function onDrained(): void {
  drainScheduled = false
}

function toMask(events: PollEvents): number {
  return (events.read === true ? uvReadable : 0) | (events.write === true ? uvWritable : 0)
}
