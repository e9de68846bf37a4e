/** The one error type of the project. Foreign failures (errno, exit codes, registry codes) become a
 *  BerthError once, where they enter; no code above that door looks at message text.
 *  HTTP statuses are chosen from `kind` in `server/errors.ts` alone. */

/** Every class of failure there is. A new one is a compile error in `server/errors.ts` until it has a status. */
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
  | 'cancelled'
  | 'dataLoss'
  | 'internal'

const brand: unique symbol = Symbol.for('berth.error')

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

/** True when `error` was classified already. */
export function isBerthError(error: unknown): error is BerthError {
  return typeof error === 'object' && error !== null && brand in error
}

/** The text of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Several failures as one error, whose message is `what` and the messages of all. */
export function joinErrors(what: string, failures: readonly unknown[]): AggregateError {
  return new AggregateError(failures, `${what}: ${failures.map(messageOf).join('; ')}`)
}

/** The errno name (`ENOENT`, …) that Node and `sys` put on system errors, or undefined. */
export function errnoOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  const { code } = error as { code?: unknown }
  return typeof code === 'string' ? code : undefined
}

export function invalidArgument(message: string, options?: BerthErrorOptions): BerthError {
  return new BerthError('invalidArgument', message, options)
}

export function notFound(message: string, options?: BerthErrorOptions): BerthError {
  return new BerthError('notFound', message, options)
}

export function conflict(message: string, options?: BerthErrorOptions): BerthError {
  return new BerthError('conflict', message, options)
}

export function notImplemented(message: string, options?: BerthErrorOptions): BerthError {
  return new BerthError('notImplemented', message, options)
}

export function internal(message: string, options?: BerthErrorOptions): BerthError {
  return new BerthError('internal', message, options)
}
