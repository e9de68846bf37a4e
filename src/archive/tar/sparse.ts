/** Sparse files: the runs of a file that an archive has. Four formats exist.
 *  https://www.gnu.org/software/tar/manual/html_node/Sparse-Formats.html */
import type { PaxRecord } from './pax.ts'
import { parsePaxInteger } from './pax.ts'
import { type SparseRun, tarBlockBytes } from './tar-entry.ts'
import { tarError } from './tar-error.ts'
import { parseNumber } from './tar-header.ts'

/** Checks that runs are in order, inside the file, and together as long as the stored content. Throws otherwise. */
export function checkRuns(runs: readonly SparseRun[], realBytes: number, storedBytes: number): void {
  let end = 0
  let total = 0
  for (const { offset, length } of runs) {
    if (offset < end || !Number.isSafeInteger(offset + length)) throw tarError('sparse map is out of order')
    end = offset + length
    total += length
  }
  if (end > realBytes) throw tarError('sparse map goes past the end of its file')
  if (total !== storedBytes) throw tarError('sparse map does not fit the stored content')
}

/** The runs in an old GNU header block: 4 pairs of numbers at offset 386. */
export function parseHeaderRuns(block: Buffer): SparseRun[] {
  return parseRunFields(block, 386, 4)
}

/** The runs in an extension block after an old GNU header: 21 pairs, and whether another extension follows. */
export function parseExtensionRuns(block: Buffer): { readonly runs: SparseRun[]; readonly more: boolean } {
  return { runs: parseRunFields(block, 0, 21), more: block[504] !== 0 }
}

function parseRunFields(block: Buffer, start: number, count: number): SparseRun[] {
  const runs: SparseRun[] = []
  for (let at = start; at < start + count * 24; at += 24) {
    if (block[at] === 0) break
    const offset = parseNumber(block, at, 12)
    const length = parseNumber(block, at + 12, 12)
    if (offset < 0 || length < 0) throw tarError('sparse map has a negative number')
    runs.push({ offset, length })
  }
  return runs
}

/** The runs in PAX formats 0.0 (repeated records offset and numbytes) and 0.1 (one record map), or undefined. */
export function parsePaxRuns(records: readonly PaxRecord[]): SparseRun[] | undefined {
  const map = records.findLast((record) => record.key === 'GNU.sparse.map')
  if (map !== undefined) {
    const text = map.value.toString('latin1')
    return pairUp(text === '' ? [] : text.split(',').map(parseMapNumber))
  }
  const numbers = records
    .filter(({ key }) => key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes')
    .map(({ key, value }) => parsePaxInteger(value, key))
  return numbers.length === 0 ? undefined : pairUp(numbers)
}

/** The map of PAX format 1.0 at the beginning of a file's content: decimal lines, the first one the number of runs,
 *  padded to a block. Lines are counted as blocks arrive, so that a long map is parsed only once. */
export class ContentMap {
  readonly #blocks: Buffer[] = []
  #lines = 0
  #linesNeeded: number | undefined

  get sizeBytes(): number {
    return this.#blocks.length * tarBlockBytes
  }

  /** True when the map is complete. */
  get isComplete(): boolean {
    return this.#linesNeeded !== undefined && this.#lines >= this.#linesNeeded
  }

  /** Adds the next block, which is copied. */
  add(block: Buffer): void {
    this.#blocks.push(Buffer.from(block))
    for (const byte of block) if (byte === 0x0a) this.#lines += 1
    if (this.#linesNeeded === undefined && this.#lines > 0) {
      this.#linesNeeded = 1 + 2 * parseMapNumber(this.#text().split('\n', 1)[0] ?? '')
    }
  }

  runs(): SparseRun[] {
    return pairUp(this.#text().split('\n').slice(1, this.#linesNeeded).map(parseMapNumber))
  }

  #text(): string {
    return Buffer.concat(this.#blocks).toString('latin1')
  }
}

function parseMapNumber(text: string): number {
  const number = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(number)) throw tarError('sparse map has a bad number')
  return number
}

function pairUp(numbers: readonly number[]): SparseRun[] {
  if (numbers.length % 2 !== 0) throw tarError('sparse map has an odd count of numbers')
  const runs: SparseRun[] = []
  for (let at = 0; at < numbers.length; at += 2) {
    runs.push({ offset: numbers[at] ?? 0, length: numbers[at + 1] ?? 0 })
  }
  return runs
}
