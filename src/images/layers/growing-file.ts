/** A file that one thread writes while another reads it: the writer tells how far it is through shared
 *  memory, so that the reader never takes the present end for the end. */
import { closeSync, openSync, readSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { BerthError } from '../../base/index.ts'

/** Slots of the shared memory: bytes written, and 1 when complete or 2 when given up. */
const writtenSlot = 0
const stateSlot = 1
const complete = 1n
const failed = 2n

const chunkBytes = 256 * 1024
const sharedBytes = 1 << 20
/** A reader that never waits gives its thread's messages (a cancellation) their turn after so many reads. */
const readsPerTurn = 8

/** A good step for streams that come from a client. */
export const growthStepBytes = 512 * 1024

/** The writer's end. */
export class FileGrowth {
  readonly shared = new SharedArrayBuffer(16)
  readonly #cells = new BigInt64Array(this.shared)
  readonly #stepBytes: number
  #writtenBytes = 0
  #toldBytes = 0

  /** Readers are told every `stepBytes` only: waking a thread costs more than a small read is worth. */
  constructor({ stepBytes = 1 }: { readonly stepBytes?: number } = {}) {
    this.#stepBytes = stepBytes
  }

  /** So many bytes are in the file now. */
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

  /** No more will come. */
  complete(): void {
    this.#tell()
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

export interface ReadGrowingOptions {
  /** Asked once, with the first bytes: true lets all that follow share memory, so that a chunk is the reader's only
   *  until it asks for the next one. */
  readonly mayReuse?: (first: Buffer) => boolean
}

/** The bytes of a file, whole or while it grows. Reads at once: for worker threads, and files that are in memory. */
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
