/** Contents of many files, one behind the other in one file without a name: a crash leaves nothing. */
import { close, mkdirSync, openSync, readSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { newId } from '../../base/index.ts'
import { writeFully } from '../../sys/index.ts'

export class Spool implements Disposable {
  readonly #fd: number
  #end = 0

  /** Makes one in `directory`. */
  constructor(directory: string) {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    const path = join(directory, `spool-${newId().slice(0, 16)}`)
    this.#fd = openSync(path, 'wx+', 0o600)
    unlinkSync(path)
  }

  /** Lasts while the spool does, in all threads of this process. */
  get path(): string {
    return `/proc/self/fd/${this.#fd}`
  }

  get end(): number {
    return this.#end
  }

  /** Reserves room at the end; gives where it begins. */
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
      // What was reserved and never written at the end is a hole.
      if (count === 0) break
      done += count
    }
    return bytes
  }

  [Symbol.dispose](): void {
    // The last descriptor frees the file, which takes a while for a large one. Nothing is lost when that fails.
    close(this.#fd, () => {})
  }
}
