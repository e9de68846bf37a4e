/** Finds a place in a log file without reading all of it: backwards for the last lines, by bisection for a time. */
import type { FileHandle } from 'node:fs/promises'
import { headerBytes, parseHeader, parseTimeNs } from './log-line.ts'

const blockBytes = 64 * 1024
const lineFeed = 0x0a

/** The place of the last lines of a file. */
export interface TailPosition {
  /** Offset of the first wanted line. */
  readonly offset: number
  /** Number of lines from there on. */
  readonly lines: number
}

/** The end of the last complete line of a file; the writer may be in the middle of another one. */
export async function endOfLines({
  file,
  size,
}: {
  readonly file: FileHandle
  readonly size: number
}): Promise<number> {
  const start = Math.max(0, size - blockBytes)
  const buffer = Buffer.allocUnsafe(size - start)
  const { bytesRead } = await file.read(buffer, 0, buffer.length, start)
  return start + (bytesRead === 0 ? 0 : buffer.lastIndexOf(lineFeed, bytesRead - 1) + 1)
}

/** The place of the last `wanted` lines in the first `size` bytes. Parts of a line count as one line. */
export async function seekTail(file: FileHandle, size: number, wanted: number): Promise<TailPosition> {
  if (wanted <= 0) return { offset: size, lines: 0 }
  const buffer = Buffer.allocUnsafeSlow(blockBytes + headerBytes)
  let lines = 0
  // The line after the present one in the file, which continues it if it is partial.
  let nextStart = size
  for (let blockEnd = size; blockEnd > 0; ) {
    const blockStart = Math.max(0, blockEnd - blockBytes)
    // Read a little more than the block, so that a header at its very end is complete.
    const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, size - blockStart), blockStart)
    for (let feed = lastFeed(buffer, blockEnd - blockStart); ; feed = lastFeed(buffer, feed)) {
      const start = feed + 1
      if (feed === -1 && blockStart > 0) break
      if (blockStart + start < size && endsLine(buffer, start, bytesRead, blockStart + start, nextStart, size)) {
        if (lines === wanted) return { offset: nextStart, lines }
        lines += 1
      }
      nextStart = blockStart + start
      if (feed === -1) break
    }
    blockEnd = blockStart
  }
  return { offset: 0, lines }
}

/** True when the record at `start` ends a line: it is complete, or the last one of the file. */
function endsLine(
  buffer: Buffer,
  start: number,
  bytesRead: number,
  offset: number,
  nextStart: number,
  size: number,
): boolean {
  const header = parseHeader(buffer, start, bytesRead)
  if (header === undefined) return false
  return !header.partial || nextStart >= size || offset >= size
}

/** Index of the last line feed before `end`, or -1. */
function lastFeed(buffer: Buffer, end: number): number {
  return end <= 0 ? -1 : buffer.lastIndexOf(lineFeed, end - 1)
}

/** Offset of the first line that is not earlier than `timeNs`; `size` when there is none. Lines are in order. */
export async function seekTime(file: FileHandle, size: number, timeNs: bigint): Promise<number> {
  const buffer = Buffer.allocUnsafeSlow(blockBytes)
  // Invariant: every line that begins before `low` is earlier, and the first later one begins at or after `low`.
  let low = 0
  let high = size
  while (high - low > blockBytes) {
    const middle = low + Math.floor((high - low) / 2)
    const { bytesRead } = await file.read(buffer, 0, Math.min(blockBytes, size - middle), middle)
    const start = firstDatedLine(buffer, bytesRead)
    if (start === undefined || middle + start.offset >= high) high = middle
    else if (start.timeNs < timeNs) low = middle + start.offset
    else high = middle
  }
  for (let at = low; at < size; ) {
    const { bytesRead } = await file.read(buffer, 0, Math.min(blockBytes, size - at), at)
    const end = buffer.subarray(0, bytesRead).lastIndexOf(lineFeed) + 1
    if (end === 0) return size
    for (let start = 0; start < end; start = buffer.indexOf(lineFeed, start) + 1) {
      const time = parseHeader(buffer, start, end) === undefined ? undefined : parseTimeNs(buffer, start)
      if (time !== undefined && time >= timeNs) return at + start
    }
    at += end
  }
  return size
}

/** The first complete line after the first line feed. */
function firstDatedLine(buffer: Buffer, length: number): { offset: number; timeNs: bigint } | undefined {
  for (let feed = buffer.indexOf(lineFeed); feed !== -1 && feed < length; feed = buffer.indexOf(lineFeed, feed + 1)) {
    const start = feed + 1
    const timeNs = parseHeader(buffer, start, length) === undefined ? undefined : parseTimeNs(buffer, start)
    if (timeNs !== undefined) return { offset: start, timeNs }
  }
  return undefined
}
