/** A file that one thread writes while another reads it: the writer tells how far it is through shared
 *  memory, so that the reader never takes the present end for the end. */
import { closeSync, openSync, read } from 'node:fs'
import { promisify } from 'node:util'
import { BerthError } from '../base/index.ts'

const readAsync = promisify(read)

/** Slots of the shared memory: bytes written, and 1 when complete or 2 when given up. */
const writtenSlot = 0
const stateSlot = 1
const complete = 1n
const failed = 2n

const chunkBytes = 256 * 1024

/** The writer's end. */
export class FileGrowth {
  readonly shared = new SharedArrayBuffer(16)
  readonly #cells = new BigInt64Array(this.shared)

  /** So many bytes are in the file now. */
  advance(writtenBytes: number): void {
    Atomics.store(this.#cells, writtenSlot, BigInt(writtenBytes))
    Atomics.notify(this.#cells, writtenSlot)
  }

  /** No more will come. */
  complete(): void {
    this.#end(complete)
  }

  /** The writer failed: readers fail, too. */
  fail(): void {
    this.#end(failed)
  }

  #end(state: bigint): void {
    Atomics.compareExchange(this.#cells, stateSlot, 0n, state)
    // A waiting reader sleeps on the first slot: its value must change for a wait that begins just now.
    Atomics.add(this.#cells, writtenSlot, 1n << 62n)
    Atomics.notify(this.#cells, writtenSlot)
  }
}

/** The bytes of a file, whole or while it grows. */
export async function* readGrowing(path: string, growth?: SharedArrayBuffer): AsyncGenerator<Buffer, void, undefined> {
  const cells = growth === undefined ? undefined : new BigInt64Array(growth)
  const fd = openSync(path, 'r')
  try {
    let offset = 0
    for (;;) {
      const buffer = Buffer.allocUnsafe(chunkBytes)
      const { bytesRead } = await readAsync(fd, buffer, 0, buffer.length, offset)
      offset += bytesRead
      if (bytesRead > 0) yield buffer.subarray(0, bytesRead)
      else if (cells === undefined || (await isAtEnd(cells, offset))) return
    }
  } finally {
    closeSync(fd)
  }
}

/** Waits until there is more than `offset`; true when there never will be. */
async function isAtEnd(cells: BigInt64Array<SharedArrayBuffer>, offset: number): Promise<boolean> {
  for (;;) {
    const seen = Atomics.load(cells, writtenSlot)
    const state = Atomics.load(cells, stateSlot)
    if (state === failed) throw new BerthError('cancelled', 'the archive ended before its time')
    const written = Number(BigInt.asUintN(62, seen))
    if (written > offset) return false
    if (state === complete) return true
    const wait = Atomics.waitAsync(cells, writtenSlot, seen)
    if (wait.async) await wait.value
  }
}
