/** The contents of many files, concatenated in one file without a name. A crash leaves nothing behind. */
import { close, mkdirSync, openSync, readSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { newId } from '../../base/index.ts'
import { writeFully } from '../../sys/index.ts'

/** A spool file. Disposing of it frees the space. */
export class Spool implements Disposable {
  readonly #fd: number
  #end = 0

  /** Creates the file in `directory`. */
  constructor(directory: string) {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    const path = join(directory, `spool-${newId().slice(0, 16)}`)
    this.#fd = openSync(path, 'wx+', 0o600)
    unlinkSync(path)
  }

  /** A path to the file for any thread of this process. Valid until the spool is disposed of. */
  get path(): string {
    return `/proc/self/fd/${this.#fd}`
  }

  get end(): number {
    return this.#end
  }

  /** Reserves space at the end and gives its offset. */
  reserve(sizeBytes: number): number {
    const offset = this.#end
    this.#end += sizeBytes
    return offset
  }

  write(piece: Uint8Array, offset: number): void {
    writeFully(this.#fd, Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength), offset)
  }

  read(offset: number, sizeBytes: number): Buffer {
    const bytes = Buffer.alloc(sizeBytes)
    for (let done = 0; done < sizeBytes; ) {
      const count = readSync(this.#fd, bytes, done, sizeBytes - done, offset + done)
      // Space that was reserved at the end and never written is a hole, which reads as nothing.
      if (count === 0) break
      done += count
    }
    return bytes
  }

  [Symbol.dispose](): void {
    // Closing the last descriptor frees the file, which takes long for a large one, so it happens asynchronously. A
    // failure loses no data.
    close(this.#fd, () => {})
  }
}
