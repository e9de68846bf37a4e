/** Where components write their log. Messages are constant text; data goes into fields. */
export interface Logger {
  /** A logger that adds these fields to each of its lines. */
  child(fields: LogFields): Logger
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
}

/** The data of one log line: name → value. */
export type LogFields = Readonly<Record<string, unknown>>

/** A logger that drops all lines. */
export const nullLogger: Logger = {
  child() {
    return nullLogger
  },
  debug() {},
  info() {},
  warn() {},
  error() {},
}
