/** A streaming tar reader, as a push parser: chunks of any size go in, entries and pieces of content come out during
 *  the call, without copying content. Reads USTAR, PAX with global headers, GNU long names and numbers, the four kinds
 *  of sparse files, and v7. */

import { decodeName } from '../../base/index.ts'
import { type DecodedEntry, decodeEntry } from './entry-decoder.ts'
import { type PaxRecord, parsePaxRecords } from './pax.ts'
import { ContentMap, checkRuns, parseExtensionRuns, parseHeaderRuns } from './sparse.ts'
import { type SparseRun, type TarEntry, tarBlockBytes, tarPaddingBytes } from './tar-entry.ts'
import { tarError } from './tar-error.ts'
import { parseHeader, parseNumber, type RawHeader } from './tar-header.ts'

/** Receives what the parser finds. Its errors are thrown by `push`. */
export interface TarHandler {
  /** Begins a member; its content, if any, follows. */
  entry(entry: TarEntry): void
  /** A piece of the content and its position in the file. The memory is valid only during the call. */
  data(piece: Buffer, position: number): void
  /** Ends the member. */
  endEntry(): void
}

type State = 'header' | 'special' | 'sparseExtension' | 'contentMap' | 'body' | 'skip' | 'ended'

/** Limit of the content of PAX headers and long names, which is held in memory. */
const maxSpecialBytes = 1 << 20

/** Parses one archive and reports its members to a handler. */
export class TarParser {
  readonly #handler: TarHandler
  #state: State = 'header'
  /** A block that arrives in pieces. */
  readonly #block = Buffer.alloc(tarBlockBytes)
  #blockFill = 0
  #zeroBlocks = 0
  #globals: PaxRecord[] = []
  #records: PaxRecord[] = []
  #longPath: string | undefined
  #longLinkPath: string | undefined
  #special = { header: undefined as RawHeader | undefined, content: Buffer.alloc(0), fill: 0 }
  /** A sparse file whose map is not complete yet. */
  #pending: { raw: RawHeader; decoded: DecodedEntry; runs: SparseRun[]; map: ContentMap } | undefined
  #runs: readonly SparseRun[] = []
  #runIndex = 0
  #runUsed = 0
  #bodyLeft = 0
  #skipLeft = 0

  constructor(handler: TarHandler) {
    this.#handler = handler
  }

  /** True after the end mark. Bytes after it are padding. */
  get ended(): boolean {
    return this.#state === 'ended'
  }

  /** Parses the archive's next bytes. Throws `invalidArgument` for damage, and the errors of the handler. */
  push(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length && this.#state !== 'ended') at += this.#step(chunk, at)
  }

  /** Ends the archive. Throws when it ends inside a member. With `unpadded`, the last block of the last file may be
   *  short, as in streams of Docker's CLI when it adds a Dockerfile to a context. */
  end({ unpadded = false }: { readonly unpadded?: boolean } = {}): void {
    const isPadding = unpadded && this.#state === 'skip' && this.#skipLeft < tarBlockBytes
    const isBlockEnd = this.#state === 'header' && this.#blockFill === 0
    const between = (isBlockEnd || isPadding) && !this.#hasExtensions()
    if (this.#state !== 'ended' && !between) throw tarError('it ends too early (truncated)')
  }

  #hasExtensions(): boolean {
    return this.#records.length > 0 || this.#longPath !== undefined || this.#longLinkPath !== undefined
  }

  /** Parses `chunk` from `at` on; returns the number of bytes that it used. */
  #step(chunk: Buffer, at: number): number {
    switch (this.#state) {
      case 'body':
        return this.#stepBody(chunk, at)
      case 'skip':
        return this.#stepSkip(chunk, at)
      case 'special':
        return this.#stepSpecial(chunk, at)
      default:
        return this.#stepBlock(chunk, at)
    }
  }

  #stepBlock(chunk: Buffer, at: number): number {
    if (this.#blockFill === 0 && chunk.length - at >= tarBlockBytes) {
      this.#handleBlock(chunk.subarray(at, at + tarBlockBytes))
      return tarBlockBytes
    }
    const used = chunk.copy(this.#block, this.#blockFill, at)
    this.#blockFill += used
    if (this.#blockFill === tarBlockBytes) {
      this.#blockFill = 0
      this.#handleBlock(this.#block)
    }
    return used
  }

  #handleBlock(block: Buffer): void {
    if (this.#state === 'header') this.#handleHeader(block)
    else if (this.#state === 'sparseExtension') this.#handleSparseExtension(block)
    else this.#handleContentMap(block)
  }

  #handleHeader(block: Buffer): void {
    const raw = parseHeader(block)
    if (raw === undefined) {
      this.#zeroBlocks += 1
      if (this.#zeroBlocks === 2) this.#state = 'ended'
      return
    }
    if (this.#zeroBlocks > 0) throw tarError('a header follows the end mark')
    if ('xgXLK'.includes(raw.typeFlag)) this.#beginSpecial(raw)
    else this.#beginEntry(raw, block)
  }

  #beginSpecial(header: RawHeader): void {
    const { sizeBytes } = header
    if (sizeBytes < 0 || sizeBytes > maxSpecialBytes) {
      throw tarError(`an extended header claims ${sizeBytes} bytes, at most ${maxSpecialBytes} are taken`)
    }
    this.#special = { header, content: Buffer.allocUnsafe(sizeBytes), fill: 0 }
    if (sizeBytes === 0) this.#endSpecial()
    else this.#state = 'special'
  }

  #stepSpecial(chunk: Buffer, at: number): number {
    const used = chunk.copy(this.#special.content, this.#special.fill, at)
    this.#special.fill += used
    if (this.#special.fill === this.#special.content.length) this.#endSpecial()
    return used
  }

  #endSpecial(): void {
    const { header, content } = this.#special
    const typeFlag = header?.typeFlag
    if (typeFlag === 'g') {
      // A later global header replaces values of an earlier one key by key: later records win anyway.
      this.#globals.push(...parsePaxRecords(content))
      if (this.#globals.length > 10_000) throw tarError('too many global records')
    } else if (typeFlag === 'L') this.#longPath = parseLongName(content)
    else if (typeFlag === 'K') this.#longLinkPath = parseLongName(content)
    else this.#records.push(...parsePaxRecords(content))
    this.#skip(tarPaddingBytes(content.length))
  }

  #beginEntry(raw: RawHeader, block: Buffer): void {
    const records = this.#globals.length === 0 ? this.#records : [...this.#globals, ...this.#records]
    const decoded = decodeEntry(raw, { records, longPath: this.#longPath, longLinkPath: this.#longLinkPath })
    this.#records = []
    this.#longPath = undefined
    this.#longLinkPath = undefined
    if (decoded === undefined) {
      this.#skip(raw.sizeBytes + tarPaddingBytes(raw.sizeBytes))
      return
    }
    if (raw.typeFlag === 'S') {
      this.#pending = {
        raw,
        decoded: withRealSize(decoded, block),
        runs: parseHeaderRuns(block),
        map: new ContentMap(),
      }
      if (block[482] !== 0) this.#state = 'sparseExtension'
      else this.#beginPending()
    } else if (decoded.hasContentMap) {
      this.#pending = { raw, decoded, runs: [], map: new ContentMap() }
      this.#state = 'contentMap'
    } else {
      this.#beginBody(decoded.entry, decoded.storedBytes, tarPaddingBytes(decoded.storedBytes))
    }
  }

  #handleSparseExtension(block: Buffer): void {
    const { runs, more } = parseExtensionRuns(block)
    const pending = this.#pending
    if (pending === undefined) return
    pending.runs.push(...runs)
    if (pending.runs.length > maxSpecialBytes / 24) throw tarError('sparse map is too long')
    if (!more) this.#beginPending()
  }

  #handleContentMap(block: Buffer): void {
    const pending = this.#pending
    if (pending === undefined) return
    pending.map.add(block)
    if (pending.map.sizeBytes > Math.min(pending.decoded.storedBytes, maxSpecialBytes)) {
      throw tarError('sparse map is too long')
    }
    if (!pending.map.isComplete) return
    pending.runs = pending.map.runs()
    this.#beginPending(pending.map.sizeBytes)
  }

  #beginPending(mapBytes = 0): void {
    const pending = this.#pending
    if (pending === undefined) return
    this.#pending = undefined
    const { entry, storedBytes } = pending.decoded
    this.#beginBody({ ...entry, sparse: pending.runs }, storedBytes - mapBytes, tarPaddingBytes(storedBytes))
  }

  #beginBody(entry: TarEntry, storedBytes: number, paddingBytes: number): void {
    if (entry.path === '') throw tarError('an entry has no name')
    if (entry.sparse !== undefined) checkRuns(entry.sparse, entry.sizeBytes, storedBytes)
    this.#runs = entry.sparse ?? [{ offset: 0, length: storedBytes }]
    this.#runIndex = 0
    this.#runUsed = 0
    this.#bodyLeft = storedBytes
    this.#skipLeft = paddingBytes
    this.#handler.entry(entry)
    if (storedBytes > 0) this.#state = 'body'
    else this.#endBody()
  }

  #stepBody(chunk: Buffer, at: number): number {
    let run = this.#runs[this.#runIndex]
    while (run !== undefined && this.#runUsed === run.length) {
      this.#runIndex += 1
      this.#runUsed = 0
      run = this.#runs[this.#runIndex]
    }
    if (run === undefined) throw tarError('content goes past its sparse map')
    const used = Math.min(chunk.length - at, run.length - this.#runUsed)
    const whole = at === 0 && used === chunk.length
    this.#handler.data(whole ? chunk : chunk.subarray(at, at + used), run.offset + this.#runUsed)
    this.#runUsed += used
    this.#bodyLeft -= used
    if (this.#bodyLeft === 0) this.#endBody()
    return used
  }

  #endBody(): void {
    this.#handler.endEntry()
    this.#skip(this.#skipLeft)
  }

  #skip(sizeBytes: number): void {
    this.#skipLeft = sizeBytes
    this.#state = sizeBytes > 0 ? 'skip' : 'header'
  }

  #stepSkip(chunk: Buffer, at: number): number {
    const used = Math.min(chunk.length - at, this.#skipLeft)
    this.#skip(this.#skipLeft - used)
    return used
  }
}

function parseLongName(content: Buffer): string {
  const nul = content.indexOf(0)
  return decodeName(nul < 0 ? content : content.subarray(0, nul))
}

function withRealSize(decoded: DecodedEntry, block: Buffer): DecodedEntry {
  const sizeBytes = parseNumber(block, 483, 12)
  if (sizeBytes < 0) throw tarError('negative size of a sparse file')
  return { ...decoded, entry: { ...decoded.entry, sizeBytes } }
}
