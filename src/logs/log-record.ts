/** What a log driver is given: one line of a container's output, or a part of a long one. */
import type { OutputStream } from '../base/index.ts'

/** A place in a log: everything before `offset` of the file, and the files before it. A file is known by its inode
 *  and its first bytes (the time of its first line), since numbers of removed files are used again. */
export interface LogPosition {
  readonly inode: number
  readonly head: string
  readonly offset: number
}

/** Of a line longer than 16 KiB, which is handed on in parts, as Docker does. */
export interface PartOfLine {
  /** The same for all parts of one line. */
  readonly id: string
  /** From 1. */
  readonly ordinal: number
  readonly last: boolean
}

export interface LogRecord {
  readonly stream: OutputStream
  /** Nanoseconds since the epoch. */
  readonly timeNs: bigint
  /** Without a line end. */
  readonly text: Buffer
  readonly part?: PartOfLine
  /** Where to go on when all up to this record has been delivered. */
  readonly position: LogPosition
}
