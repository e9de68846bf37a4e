/** A file without a name: written once from its beginning to its end, and read by many meanwhile. It is gone when it
 *  is closed, however the process ends. */
import { randomUUID } from 'node:crypto'
import { type FileHandle, open, unlink } from 'node:fs/promises'
import { join } from 'node:path'

export class SpoolFile {
  readonly #file: FileHandle
  #sizeBytes = 0

  private constructor(file: FileHandle) {
    this.#file = file
  }

  static async create(folder: string): Promise<SpoolFile> {
    const path = join(folder, `berth-${randomUUID()}`)
    const file = await open(path, 'wx+', 0o600)
    await unlink(path)
    return new SpoolFile(file)
  }

  /** How much was written. */
  get sizeBytes(): number {
    return this.#sizeBytes
  }

  async write(bytes: Buffer): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await this.#file.write(bytes, done, bytes.length - done, this.#sizeBytes)
      done += bytesWritten
      this.#sizeBytes += bytesWritten
    }
  }

  /** Bytes from `start` on that were written before: at least one, at most `length`. */
  async read(start: number, length: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafe(length)
    const { bytesRead } = await this.#file.read(buffer, 0, length, start)
    return buffer.subarray(0, bytesRead)
  }

  async close(): Promise<void> {
    await this.#file.close()
  }
}
