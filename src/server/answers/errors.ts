/** The one place that turns errors into HTTP statuses. */
import type { ErrorResponse } from '../../api/index.ts'
import { BerthError, type ErrorKind, isBerthError, isKind, type Logger, messageOf } from '../../base/index.ts'
import type { Exchange } from '../../http/index.ts'

/** Status in the log for requests whose client left before the answer. It is never sent. */
const clientGoneStatus = 499

/** Docker's status for a kind of error. */
export function statusOf(kind: ErrorKind): number {
  switch (kind) {
    case 'invalidArgument':
      return 400
    case 'unauthorized':
      return 401
    case 'forbidden':
      return 403
    case 'notFound':
      return 404
    case 'conflict':
    case 'alreadyExists':
      return 409
    case 'notModified':
      return 304
    case 'notImplemented':
      return 501
    case 'unavailable':
      return 503
    case 'noSpace':
      return 507
    case 'cancelled':
    case 'dataLoss':
    case 'internal':
      return 500
    default:
      return kind satisfies never
  }
}

/** Answers a request whose handler failed. If a stream has begun, no status can follow: the connection is closed, so
 *  that the client does not take the part for the whole. */
export function answerError(exchange: Exchange, error: unknown, logger: Logger): void {
  const request = { method: exchange.method, path: exchange.url.split('?', 1)[0] }
  if (exchange.isClientGone || (isKind(error, 'cancelled') && exchange.signal.aborted)) {
    logger.debug('client left before the answer', { ...request, status: clientGoneStatus })
    exchange.connection.cut()
    return
  }
  const failure = isBerthError(error) ? error : new BerthError('internal', messageOf(error), { cause: error })
  const status = statusOf(failure.kind)
  logFailure(logger, failure, { ...request, status })
  if (exchange.isAnswered) exchange.connection.cut()
  else if (status === 304) exchange.sendEmpty(status)
  else exchange.sendJson(status, { message: failure.message } satisfies ErrorResponse)
}

function logFailure(logger: Logger, failure: BerthError, fields: { readonly status: number }): void {
  if (fields.status === 500)
    logger.error('request failed', { ...fields, error: failure.message, stack: stackOf(failure) })
  else logger.debug('request refused', { ...fields, error: failure.message })
}

/** The stack of the original error if this one wraps it. */
function stackOf(error: Error): string | undefined {
  return error.cause instanceof Error ? `${error.stack}\ncaused by: ${error.cause.stack}` : error.stack
}
