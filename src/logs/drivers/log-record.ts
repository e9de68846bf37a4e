/** What log drivers get: one line of a container's output, or a part of a long line. */
import type { OutputStream } from '../../base/index.ts'

/** A position in a log: after `offset` bytes of the file, and after all earlier files. Inode and first bytes (the time
 *  of the first line) identify the file, because inodes of removed files are reused. */
export interface LogPosition {
  readonly inode: number
  readonly head: string
  readonly offset: number
}

/** A part of a line longer than 16 KiB, which is split as in Docker. */
export interface PartOfLine {
  /** Id of the line, the same for all its parts. */
  readonly id: string
  /** Number of the part, from 1. */
  readonly ordinal: number
  readonly last: boolean
}

/** A line, or a part of one. */
export interface LogRecord {
  readonly stream: OutputStream
  /** Nanoseconds since the epoch. */
  readonly timeNs: bigint
  /** The text without line end. */
  readonly text: Buffer
  readonly part?: PartOfLine
  /** Position from which to continue when everything up to this record was delivered. */
  readonly position: LogPosition
}
