/** An unnamed temporary file that is written once, from beginning to end, while others read it. The kernel deletes it
 *  when it is closed, however the process ends. */
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

  /** Number of bytes written so far. */
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

  /** Reads between one and `length` bytes from `start` on. The first of them must have been written. */
  async read(start: number, length: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafe(length)
    const { bytesRead } = await this.#file.read(buffer, 0, length, start)
    return buffer.subarray(0, bytesRead)
  }

  async close(): Promise<void> {
    await this.#file.close()
  }
}
