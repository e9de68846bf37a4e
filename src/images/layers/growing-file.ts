/** A file that one thread writes while another reads it. The writer reports the length through shared memory, so the
 *  reader never mistakes the present end for the final one. */
import { closeSync, openSync, readSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { BerthError } from '../../base/index.ts'

/** Slots of the shared memory: the number of bytes written, and a state: 1 for complete, 2 for failed. */
const writtenSlot = 0
const stateSlot = 1
const complete = 1n
const failed = 2n

const chunkBytes = 256 * 1024
const sharedBytes = 1 << 20
/** After this many reads without waiting, a reader lets the messages of its thread (a cancellation) be handled. */
const readsPerTurn = 8

/** A suitable `stepBytes` for streams from a client. */
export const growthStepBytes = 512 * 1024

/** The writer's side. */
export class FileGrowth {
  readonly shared = new SharedArrayBuffer(16)
  readonly #cells = new BigInt64Array(this.shared)
  readonly #stepBytes: number
  #writtenBytes = 0
  #toldBytes = 0

  /** Readers are woken only every `stepBytes`, because waking a thread costs more than a small read gains. */
  constructor({ stepBytes = 1 }: { readonly stepBytes?: number } = {}) {
    this.#stepBytes = stepBytes
  }

  /** Reports the number of bytes that are in the file now. */
  advance(writtenBytes: number): void {
    this.#writtenBytes = writtenBytes
    if (writtenBytes - this.#toldBytes >= this.#stepBytes) this.#tell()
  }

  #tell(): void {
    const writtenBytes = this.#writtenBytes
    this.#toldBytes = writtenBytes
    Atomics.store(this.#cells, writtenSlot, BigInt(writtenBytes))
    Atomics.notify(this.#cells, writtenSlot)
  }

  /** Reports that the file is complete. */
  complete(): void {
    this.#tell()
    this.#end(complete)
  }

  /** Reports that the writer failed; readers fail, too. */
  fail(): void {
    this.#end(failed)
  }

  #end(state: bigint): void {
    Atomics.compareExchange(this.#cells, stateSlot, 0n, state)
    // A waiting reader sleeps on the first slot. Its value must change, also for a reader that begins to wait just
    // now.
    Atomics.add(this.#cells, writtenSlot, 1n << 62n)
    Atomics.notify(this.#cells, writtenSlot)
  }
}

/** How to read a growing file. */
export interface ReadGrowingOptions {
  /** Called once, with the first bytes. True lets all later chunks share memory: a chunk is then valid only until the
   *  reader asks for the next one. */
  readonly mayReuse?: (first: Buffer) => boolean
}

/** The bytes of a file that is complete or still grows. Reads synchronously, which suits worker threads and files in
 *  the page cache. */
export async function* readGrowing(
  path: string,
  growth?: SharedArrayBuffer,
  { mayReuse = () => false }: ReadGrowingOptions = {},
): AsyncGenerator<Buffer, void, undefined> {
  const cells = growth === undefined ? undefined : new BigInt64Array(growth)
  const fd = openSync(path, 'r')
  try {
    let offset = 0
    let shared: readonly Buffer[] | undefined
    for (let turn = 0; ; turn += 1) {
      const buffer = shared?.[turn % shared.length] ?? Buffer.allocUnsafe(chunkBytes)
      const bytesRead = readSync(fd, buffer, 0, buffer.length, offset)
      if (bytesRead === 0) {
        if (cells === undefined || (await isAtEnd(cells, offset))) return
        continue
      }
      const chunk = buffer.subarray(0, bytesRead)
      if (offset === 0 && mayReuse(chunk))
        shared = [Buffer.allocUnsafeSlow(sharedBytes), Buffer.allocUnsafeSlow(sharedBytes)]
      offset += bytesRead
      yield chunk
      if (turn % readsPerTurn === 0) await nextTurn()
    }
  } finally {
    closeSync(fd)
  }
}

/** Waits until the file has more than `offset` bytes; true when it ended before that. */
async function isAtEnd(cells: BigInt64Array<SharedArrayBuffer>, offset: number): Promise<boolean> {
  for (;;) {
    const seen = Atomics.load(cells, writtenSlot)
    const state = Atomics.load(cells, stateSlot)
    if (state === failed) throw new BerthError('cancelled', 'the archive ended too early')
    const written = Number(BigInt.asUintN(62, seen))
    if (written > offset) return false
    if (state === complete) return true
    const wait = Atomics.waitAsync(cells, writtenSlot, seen)
    if (wait.async) await wait.value
  }
}
