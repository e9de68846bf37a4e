/** The one error type of the project. A foreign failure (errno, exit code, registry code) becomes a BerthError once,
 *  where it enters; no code above that door looks at message text.
 *  HTTP statuses are chosen from `kind` in `server/errors.ts` alone. */

/** All classes of failure. A new one does not compile until `server/errors.ts` gives it a status. */
export type ErrorKind =
  | 'invalidArgument'
  | 'unauthorized'
  | 'forbidden'
  | 'notFound'
  | 'conflict'
  | 'alreadyExists'
  | 'notModified'
  | 'notImplemented'
  | 'unavailable'
  | 'noSpace'
  | 'cancelled'
  | 'dataLoss'
  | 'internal'

const brand: unique symbol = Symbol.for('berth.error')

/** `cause` is the error that led to this one; `details` are facts for code and logs. Both are optional. */
export interface BerthErrorOptions {
  readonly cause?: unknown
  readonly details?: Readonly<Record<string, unknown>>
}

/** An error with a class (`kind`) that callers can act on and a message that a user can read. */
export class BerthError extends Error {
  readonly kind: ErrorKind
  readonly details: Readonly<Record<string, unknown>>
  readonly [brand] = true

  constructor(kind: ErrorKind, message: string, options: BerthErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'BerthError'
    this.kind = kind
    this.details = options.details ?? {}
  }
}

/** True when `error` is a BerthError of that kind (by brand, so it works across module copies). */
export function isKind(error: unknown, kind: ErrorKind): error is BerthError {
  return isBerthError(error) && error.kind === kind
}

/** True when `error` is a BerthError of any kind. */
export function isBerthError(error: unknown): error is BerthError {
  return typeof error === 'object' && error !== null && brand in error
}

/** The message of anything that was thrown, error or not. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Joins several failures into one error: `what`, a colon, and their messages. */
export function joinErrors(what: string, failures: readonly unknown[]): AggregateError {
  return new AggregateError(failures, `${what}: ${failures.map(messageOf).join('; ')}`)
}

/** The errno name (`ENOENT`, …) that Node and `sys` put on system errors; undefined when there is none. */
export function errnoOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  const { code } = error as { code?: unknown }
  return typeof code === 'string' ? code : undefined
}

/** A BerthError for a request that is wrong in itself. */
export function invalidArgument(message: string, options?: BerthErrorOptions): BerthError {
  return new BerthError('invalidArgument', message, options)
}

/** A BerthError for an object that does not exist. */
export function notFound(message: string, options?: BerthErrorOptions): BerthError {
  return new BerthError('notFound', message, options)
}

/** A BerthError for a request that the object's present state does not allow. */
export function conflict(message: string, options?: BerthErrorOptions): BerthError {
  return new BerthError('conflict', message, options)
}

/** A BerthError for a request that Berth does not support. */
export function notImplemented(message: string, options?: BerthErrorOptions): BerthError {
  return new BerthError('notImplemented', message, options)
}

/** A BerthError for a fault of Berth or its host, not of the request. */
export function internal(message: string, options?: BerthErrorOptions): BerthError {
  return new BerthError('internal', message, options)
}
