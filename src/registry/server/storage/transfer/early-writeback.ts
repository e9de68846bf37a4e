/** Has the disk begin to write a file that grows: whoever syncs it at the end finds most of it done. */
import type { FileHandle } from 'node:fs/promises'
import { beginWriteback } from '../../../../sys/index.ts'

/** After so many bytes. */
export const writebackBytes = 2 * 1024 * 1024
/** One of all files at a time: it may hold a thread of the pool for as long as the disk's queue is full. */
let isBeginning = false

export class EarlyWriteback {
  readonly #file: FileHandle
  /** How far the disk was told to write, and the last time that it was. */
  #position: number
  #running: Promise<void> | undefined

  /** `sizeBytes`: of the file now. */
  constructor(file: FileHandle, sizeBytes: number) {
    this.#file = file
    this.#position = sizeBytes
  }

  /** The file has grown to that size. */
  reached(sizeBytes: number): void {
    const newBytes = sizeBytes - this.#position
    if (newBytes < writebackBytes || isBeginning) return
    isBeginning = true
    this.#running = beginWriteback(this.#file.fd, this.#position, newBytes).finally(() => {
      isBeginning = false
    })
    this.#position = sizeBytes
  }

  /** Resolves when the file may be closed. */
  async settle(): Promise<void> {
    await this.#running
  }
}
