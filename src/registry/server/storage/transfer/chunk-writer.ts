/** Writes the chunks of a stream to the end of a file in larger pieces. The next piece is collected while one is being
 *  written, so it holds at most two pieces. */
import type { FileHandle } from 'node:fs/promises'
import { BufferPool } from '../../model/buffer-pool.ts'
import { EarlyWriteback } from './early-writeback.ts'

const pieceBytes = 256 * 1024
const pieces = new BufferPool(pieceBytes, 64)
export class ChunkWriter {
  readonly #file: FileHandle
  readonly #onWritten: (sizeBytes: number) => void
  #position: number
  /** The piece that is being collected, and how full it is. */
  #piece: Buffer | undefined
  #filledBytes = 0
  #writing: Promise<void> | undefined
  readonly #writeback: EarlyWriteback

  /** `sizeBytes` is the current size of the file. `onWritten` is called with the file's size after each written
   *  piece. */
  constructor(file: FileHandle, sizeBytes: number, onWritten: (sizeBytes: number) => void) {
    this.#file = file
    this.#position = sizeBytes
    this.#writeback = new EarlyWriteback(file, sizeBytes)
    this.#onWritten = onWritten
  }

  /** The size of the file with all written pieces. */
  get sizeBytes(): number {
    return this.#position
  }

  /** Takes a chunk. Its memory can be reused after this has resolved. */
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

  /** Writes the rest. After that, the file can be closed. */
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
    // The next `await` throws a failure. Without this handler it would count as unhandled until then.
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
