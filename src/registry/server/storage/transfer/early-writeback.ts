/** Lets the kernel write a growing file to the disk early, so that the sync at the end takes little time. */
import type { FileHandle } from 'node:fs/promises'
import { beginWriteback } from '../../../../sys/index.ts'

/** A writeback begins after this many new bytes. */
const writebackBytes = 2 * 1024 * 1024
/** Only one writeback of all files begins at a time, because it may block a thread of the pool while the disk's queue
 *  is full. */
let isBeginning = false

export class EarlyWriteback {
  readonly #file: FileHandle
  /** The end of the last writeback's range. */
  #position: number
  #running: Promise<void> | undefined

  /** `sizeBytes` is the current size of the file. */
  constructor(file: FileHandle, sizeBytes: number) {
    this.#file = file
    this.#position = sizeBytes
  }

  /** To be called when the file has grown to `sizeBytes`. */
  reached(sizeBytes: number): void {
    const newBytes = sizeBytes - this.#position
    if (newBytes < writebackBytes || isBeginning) return
    isBeginning = true
    this.#running = beginWriteback(this.#file.fd, this.#position, newBytes).finally(() => {
      isBeginning = false
    })
    this.#position = sizeBytes
  }

  /** Resolves when the file can be closed. */
  async settle(): Promise<void> {
    await this.#running
  }
}
