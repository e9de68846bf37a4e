/** Writes chunks of a stream to the end of a file in pieces of a good size, the next piece being collected while
 *  one is written. Holds two pieces at the most. */
import type { FileHandle } from 'node:fs/promises'
import { beginWriteback } from '../../../sys/index.ts'

const pieceBytes = 256 * 1024
/** After so many bytes the disk begins to write them: whoever syncs the file at the end finds most of it done. */
const writebackBytes = 2 * 1024 * 1024
/** One of all writers at a time: it may hold a thread of the pool for as long as the disk's queue is full. */
let isBeginning = false

export class ChunkWriter {
  readonly #file: FileHandle
  readonly #onWritten: (sizeBytes: number) => void
  #position: number
  #chunks: Buffer[] = []
  #pendingBytes = 0
  #writing: Promise<void> | undefined
  /** How far the disk was told to write, and the last time that it was. */
  #writebackPosition: number
  #writeback: Promise<void> | undefined

  /** `onWritten` hears of every size up to which the file will not change any more. */
  constructor(file: FileHandle, sizeBytes: number, onWritten: (sizeBytes: number) => void) {
    this.#file = file
    this.#position = sizeBytes
    this.#writebackPosition = sizeBytes
    this.#onWritten = onWritten
  }

  /** The file's size, as far as it is written. */
  get sizeBytes(): number {
    return this.#position
  }

  /** Takes a chunk; resolves when another one may come. */
  async write(chunk: Buffer): Promise<void> {
    this.#chunks.push(chunk)
    this.#pendingBytes += chunk.length
    if (this.#pendingBytes < pieceBytes) return
    await this.#writing
    this.#start()
  }

  /** Writes what is left; the file may be closed afterwards. */
  async flush(): Promise<void> {
    try {
      await this.#writing
      this.#start()
      await this.#writing
    } finally {
      await this.#writeback
    }
  }

  #start(): void {
    if (this.#chunks.length === 0) return
    const chunks = this.#chunks
    this.#chunks = []
    this.#pendingBytes = 0
    this.#writing = this.#writeAll(chunks)
    // Whoever waits next hears of a failure; until then it is not an unhandled one.
    this.#writing.catch(() => {})
  }

  async #writeAll(chunks: Buffer[]): Promise<void> {
    for (let rest = chunks; rest.length > 0; ) {
      const { bytesWritten } = await this.#file.writev(rest, this.#position)
      this.#position += bytesWritten
      rest = withoutFirst(rest, bytesWritten)
    }
    this.#onWritten(this.#position)
    this.#beginWriteback()
  }

  #beginWriteback(): void {
    const sizeBytes = this.#position - this.#writebackPosition
    if (sizeBytes < writebackBytes || isBeginning) return
    isBeginning = true
    this.#writeback = beginWriteback(this.#file.fd, this.#writebackPosition, sizeBytes).finally(() => {
      isBeginning = false
    })
    this.#writebackPosition = this.#position
  }
}

/** What a short write left. */
function withoutFirst(chunks: readonly Buffer[], count: number): Buffer[] {
  const rest: Buffer[] = []
  let skip = count
  for (const chunk of chunks) {
    if (skip < chunk.length) rest.push(skip === 0 ? chunk : chunk.subarray(skip))
    skip = Math.max(0, skip - chunk.length)
  }
  return rest
}
