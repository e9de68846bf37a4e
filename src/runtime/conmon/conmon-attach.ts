/** A client of a running container's stdio: connects conmon's attach socket to an OutputSink.
 *  Each packet is one stream byte (2 stdout, 3 stderr) and data. Packets are received into one buffer, one behind the
 *  other. The stream byte of a packet overwrites the last data byte before it, which is then restored. So consecutive
 *  packets of one stream become one chunk without a copy.
 *  A full sink stops the reading, which blocks conmon, which blocks the container, as a full pipe would. */
import type { OutputSink, OutputStream } from '../../base/index.ts'
import { errno, SeqpacketSocket } from '../../sys/index.ts'

/** The streams that a client uses. */
export interface AttachOptions {
  readonly stdin: boolean
  readonly stdout: boolean
  readonly stderr: boolean
  /** Receives the output. The attachment closes when the sink does. */
  readonly sink: OutputSink
  /** For a client that must not end the container's stdin, which closing the connection would do. After `close` the
   *  connection stays open until the container ends, and its output is dropped. */
  readonly keepOpen?: boolean
}

/** A client's end of a process's standard streams. */
export interface AttachHandle {
  /** Sends to the process's stdin. When it returns false, wait for `onDrain` before the next write. */
  write(chunk: Buffer): boolean
  /** Registers a callback that runs each time all written data was sent. */
  onDrain(callback: () => void): void
  /** Ends the process's stdin after everything that was written. A container that keeps stdin open ignores it. */
  endStdin(): void
  /** Disconnects; the process continues. Idempotent. */
  close(): void
  /** Milliseconds since the sink became full, during which the process may be blocked; 0 while the sink accepts
   *  data. */
  readonly stalledMs: number
  /** Resolves when the process has closed its output, which usually means that it ended, or when `close` was called. */
  readonly closed: Promise<void>
}

const slabBytes = 128 * 1024
/** The largest packet that conmon sends, stream byte included (32 KiB of data in some versions). */
const maxPacketBytes = 32 * 1024 + 2
/** conmon reads at most 32 KiB of a packet and drops the rest. */
const maxStdinPacketBytes = 16 * 1024
/** Chunks smaller than this are copied, so that the slab can be reused. */
const copyBelowBytes = 16 * 1024
/** Packets per event. The limit keeps one busy container from starving the daemon. */
const packetsPerEvent = 64
const stdoutByte = 2
const stderrByte = 3

/** Connects to the attach socket at `path`. The sink gets all output from then on. Throws the system's error (ENOENT,
 *  ECONNREFUSED) when conmon does not run. */
export async function attachToConmon(path: string, options: AttachOptions): Promise<AttachHandle> {
  const attachment = new ConmonAttachment(await SeqpacketSocket.connect(path), options)
  attachment.start()
  return attachment
}

class ConmonAttachment implements AttachHandle {
  readonly closed: Promise<void>
  readonly #socket: SeqpacketSocket
  readonly #options: AttachOptions
  readonly #resolveClosed: () => void
  #slab = Buffer.allocUnsafeSlow(slabBytes)
  #stdinQueue: Buffer[] = []
  #stdinEnding = false
  #drainCallbacks: (() => void)[] = []
  #draining = false
  #paused = false
  #pausedAt = 0
  #ended = false

  constructor(socket: SeqpacketSocket, options: AttachOptions) {
    this.#socket = socket
    this.#options = options
    const { promise, resolve } = Promise.withResolvers<void>()
    this.closed = promise
    this.#resolveClosed = resolve
  }

  get stalledMs(): number {
    return this.#paused && !this.#ended ? performance.now() - this.#pausedAt : 0
  }

  start(): void {
    const { sink } = this.#options
    sink.onDrain(() => this.#resume())
    sink.onClose(() => this.close())
    this.#socket.watch(
      { read: true },
      (events) => {
        if (events.write === true) this.#flushStdin()
        if (events.read === true) this.#receive()
      },
      { unref: true },
    )
  }

  write(chunk: Buffer): boolean {
    if (!this.#options.stdin || this.#ended || this.#stdinEnding) return true
    for (let start = 0; start < chunk.length; start += maxStdinPacketBytes) {
      this.#stdinQueue.push(chunk.subarray(start, start + maxStdinPacketBytes))
    }
    this.#flushStdin()
    return this.#stdinQueue.length === 0
  }

  onDrain(callback: () => void): void {
    this.#drainCallbacks.push(callback)
  }

  endStdin(): void {
    if (!this.#options.stdin || this.#stdinEnding) return
    this.#stdinEnding = true
    this.#flushStdin()
  }

  close(): void {
    if (this.#options.keepOpen === true && !this.#ended) {
      this.#draining = true
      this.#resume()
      this.#resolveClosed()
      return
    }
    this.#finish()
  }

  #finish(): void {
    if (this.#ended) return
    this.#ended = true
    this.#stdinQueue = []
    this.#socket.close()
    this.#resolveClosed()
  }

  #resume(): void {
    if (!this.#paused || this.#ended) return
    this.#paused = false
    this.#watch()
  }

  #watch(): void {
    this.#socket.update({ read: !this.#paused, write: this.#stdinQueue.length > 0 })
  }

  #receive(): void {
    let budget = packetsPerEvent
    while (budget > 0 && !this.#paused && !this.#ended) budget -= this.#receiveRun(budget)
  }

  /** Receives consecutive packets of one stream into the slab and delivers them. Returns how many reads were tried. */
  #receiveRun(limit: number): number {
    // Byte 0 takes the first packet's stream byte; data starts at 1.
    let end = 1
    let stream = 0
    let packets = 0
    let more = true
    while (packets < limit && end + maxPacketBytes <= slabBytes) {
      packets += 1
      const saved = this.#slab[end - 1] ?? 0
      const count = this.#socket.read(this.#slab.subarray(end - 1))
      if (count <= 0) {
        more = count === -errno.EINTR
        if (!more) this.#deliver(stream, 1, end)
        if (count !== -errno.EAGAIN && !more) this.#finish()
        return more ? packets : limit
      }
      const next = this.#slab[end - 1] ?? 0
      this.#slab[end - 1] = saved
      if (stream !== 0 && next !== stream) {
        this.#deliver(stream, 1, end, true)
        this.#deliver(next, end, end + count - 1)
        return packets
      }
      stream = next
      end += count - 1
    }
    this.#deliver(stream, 1, end)
    return packets
  }

  /** Gives `[start, end)` of the slab to the sink. `more`: the slab holds further data that is still needed. */
  #deliver(streamByte: number, start: number, end: number, more = false): void {
    if (end <= start || this.#draining || this.#ended) return
    const { stdout, stderr, sink } = this.#options
    const stream: OutputStream = streamByte === stderrByte ? 'stderr' : 'stdout'
    if (streamByte !== stdoutByte && streamByte !== stderrByte) return
    if (!(stream === 'stdout' ? stdout : stderr)) return
    const part = this.#slab.subarray(start, end)
    let chunk = part
    if (more || part.length < copyBelowBytes) chunk = Buffer.from(part)
    else this.#slab = Buffer.allocUnsafeSlow(slabBytes)
    if (!sink.write(stream, chunk)) {
      this.#paused = true
      this.#pausedAt = performance.now()
      this.#watch()
    }
  }

  #flushStdin(): void {
    while (this.#stdinQueue.length > 0 && !this.#ended) {
      const [packet] = this.#stdinQueue
      const result = packet === undefined ? 0 : this.#socket.write(packet)
      if (result === -errno.EAGAIN) {
        this.#watch()
        return
      }
      // Any other failure means that conmon has ended. The read side notices that and ends this attachment.
      this.#stdinQueue.shift()
    }
    if (this.#ended) return
    this.#watch()
    if (this.#stdinEnding) this.#socket.shutdownWrite()
    else for (const callback of this.#drainCallbacks) callback()
  }
}
