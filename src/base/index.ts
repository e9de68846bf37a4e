export type { AbortOptions } from './abort.ts'
export { Background } from './background.ts'
export { DisposalStack } from './disposal-stack.ts'
export {
  BerthError,
  conflict,
  type ErrorKind,
  errnoOf,
  internal,
  invalidArgument,
  isBerthError,
  isKind,
  joinErrors,
  messageOf,
  notFound,
  notImplemented,
} from './errors.ts'
export { decodeName, encodeName, nameBytes } from './file-name.ts'
export { newId, shortId } from './ids.ts'
export { KeyedMutex } from './keyed-mutex.ts'
export { type LogFields, type Logger, nullLogger } from './logger.ts'
export { RepairLoop } from './repair-loop.ts'
export { settleAll } from './settle-all.ts'
export { settlesWithin } from './settles-within.ts'
export type { OutputSink, OutputStream, TerminalSize } from './streams.ts'
export { formatNs, nowNs, parseNs, zeroTime } from './time.ts'
export { TimeSlice } from './time-slice.ts'
export { attachUndoFailures, cleanUpAfter, Undo, undoOnFailure } from './undo.ts'
