/** Writes chunks of a stream to the end of a file in pieces of a good size, the next piece being collected while
 *  one is written. Holds two pieces at the most. */
import type { FileHandle } from 'node:fs/promises'
import { BufferPool } from '../../model/buffer-pool.ts'
import { EarlyWriteback } from './early-writeback.ts'

const pieceBytes = 256 * 1024
const pieces = new BufferPool(pieceBytes, 64)
export class ChunkWriter {
  readonly #file: FileHandle
  readonly #onWritten: (sizeBytes: number) => void
  #position: number
  /** What is being collected, and how full it is; the other buffer is being written. */
  #piece: Buffer | undefined
  #filledBytes = 0
  #writing: Promise<void> | undefined
  readonly #writeback: EarlyWriteback

  /** `onWritten` hears of every size up to which the file will not change any more. */
  constructor(file: FileHandle, sizeBytes: number, onWritten: (sizeBytes: number) => void) {
    this.#file = file
    this.#position = sizeBytes
    this.#writeback = new EarlyWriteback(file, sizeBytes)
    this.#onWritten = onWritten
  }

  /** The file's size, as far as it is written. */
  get sizeBytes(): number {
    return this.#position
  }

  /** Takes a chunk, which may change when this has resolved. */
  async write(chunk: Buffer): Promise<void> {
    for (let offset = 0; offset < chunk.length; ) {
      this.#piece ??= pieces.take()
      const count = chunk.copy(this.#piece, this.#filledBytes, offset)
      this.#filledBytes += count
      offset += count
      if (this.#filledBytes < pieceBytes) return
      await this.#writing
      this.#start()
    }
  }

  /** Writes what is left; the file may be closed afterwards. */
  async flush(): Promise<void> {
    try {
      await this.#writing
      this.#start()
      await this.#writing
    } finally {
      await this.#writeback.settle()
    }
  }

  #start(): void {
    const piece = this.#piece
    if (piece === undefined) return
    const sizeBytes = this.#filledBytes
    this.#piece = undefined
    this.#filledBytes = 0
    this.#writing = this.#writeAll(piece, sizeBytes).finally(() => pieces.give(piece))
    // Whoever waits next hears of a failure; until then it is not an unhandled one.
    this.#writing.catch(() => {})
  }

  async #writeAll(piece: Buffer, sizeBytes: number): Promise<void> {
    for (let offset = 0; offset < sizeBytes; ) {
      const { bytesWritten } = await this.#file.write(piece, offset, sizeBytes - offset, this.#position)
      offset += bytesWritten
      this.#position += bytesWritten
    }
    this.#onWritten(this.#position)
    this.#writeback.reached(this.#position)
  }
}
