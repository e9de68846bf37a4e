/** One line of a container's log file as conmon writes it (CRI's format): `2026-11-23T10:00:00.123456789+00:00 stdout F
 *  text`. `P` marks a part of a line, whose text has no line end. Times always have nine digits and a numeric zone, so
 *  every field has a fixed place.
 *  https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md */
import type { OutputStream } from '../base/index.ts'

/** Number of bytes before the stream's name: `2026-11-23T10:00:00.123456789+00:00 `. */
const timeBytes = 35
/** Number of bytes that identify a file: the time of its first line. */
export const headBytes = timeBytes
const streamStart = timeBytes + 1
const tagStart = streamStart + 'stdout '.length
/** Number of bytes before the text. */
export const headerBytes = tagStart + 2

const space = 0x20
const letterS = 0x73
/** Fourth letter of the name: one that differs between `stdout` and `stderr`. */
const letterOfStream = streamStart + 3
const letterO = 0x6f
const letterE = 0x65
const fullTag = 0x46
const partialTag = 0x50

/** What is known of a line without its text. */
export interface LineHeader {
  readonly stream: OutputStream
  /** True for a part of a line. */
  readonly partial: boolean
}

const headers = {
  stdoutFull: { stream: 'stdout', partial: false },
  stdoutPart: { stream: 'stdout', partial: true },
  stderrFull: { stream: 'stderr', partial: false },
  stderrPart: { stream: 'stderr', partial: true },
} as const satisfies Record<string, LineHeader>

/** Parses the header of the line at `start`; undefined for bytes that conmon did not write as a line (torn by a
 *  crash). */
export function parseHeader(bytes: Buffer, start: number, end: number): LineHeader | undefined {
  if (end - start < headerBytes) return undefined
  if (bytes[start + timeBytes] !== space || bytes[start + streamStart] !== letterS) return undefined
  if (bytes[start + tagStart + 1] !== space) return undefined
  const tag = bytes[start + tagStart]
  if (tag !== fullTag && tag !== partialTag) return undefined
  const letter = bytes[start + letterOfStream]
  if (letter === letterO) return tag === fullTag ? headers.stdoutFull : headers.stdoutPart
  if (letter === letterE) return tag === fullTag ? headers.stderrFull : headers.stderrPart
  return undefined
}

let cachedMinute = ''
let cachedMinuteNs = 0n

/** The time of the line at `start` in nanoseconds since the epoch; undefined when there is none. */
export function parseTimeNs(bytes: Buffer, start: number): bigint | undefined {
  const text = bytes.toString('latin1', start, start + timeBytes)
  // Lines are in order: almost all have the same minute and zone as the line before.
  const minute = text.slice(0, 16) + text.slice(29)
  if (minute !== cachedMinute) {
    const ms = Date.parse(`${text.slice(0, 16)}:00${text.slice(29)}`)
    if (Number.isNaN(ms)) return undefined
    cachedMinute = minute
    cachedMinuteNs = BigInt(ms) * 1_000_000n
  }
  const nanoseconds = Number(text.slice(17, 19)) * 1e9 + Number(text.slice(20, 29))
  return Number.isNaN(nanoseconds) ? undefined : cachedMinuteNs + BigInt(nanoseconds)
}
