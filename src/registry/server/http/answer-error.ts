/** The one place that turns errors into answers: `{"errors":[{"code","message","detail"}]}`. */
import { isKind, type Logger, messageOf } from '../../../base/index.ts'
import { toRegistryError } from '../model/registry-error.ts'
import type { RegistryExchange } from './registry-exchange.ts'

/** A refused body of this size is read to its end, so that the connection can be used again. */
const readForNothingBytes = 64 * 1024
/** How long a client that goes on sending has time to see that it is refused. */
const lingerMs = 1_000
const requestTimeout = 408

/** Answers a request that failed. After an answer began nothing can follow: the connection is cut, so that the client
 *  doesn't take a half for a whole. */
export function answerError(exchange: RegistryExchange, error: unknown, logger: Logger): void {
  const { request, body: received, answer } = exchange
  const { response } = answer
  const fields = { method: request.method, path: request.path }
  if (response.destroyed || isKind(error, 'cancelled')) {
    logger.debug('client left before the answer', fields)
    response.destroy()
    return
  }
  const failure = toRegistryError(error)
  exchange.errorCode = failure.code
  if (failure.status >= 500) {
    logger.error('request failed', {
      ...fields,
      status: failure.status,
      error: messageOf(error),
      stack: stackOf(error),
    })
  } else {
    logger.debug('request refused', { ...fields, status: failure.status, code: failure.code, error: failure.message })
  }
  if (response.headersSent) {
    response.destroy()
    return
  }
  const body = { errors: failure.entries }
  if (received.isUnread(readForNothingBytes) || failure.status === requestTimeout) {
    answer.sendLastJson(failure.status, body, failure.headers, () => received.discard(lingerMs))
  } else answer.sendJson(failure.status, body, failure.headers)
}

function stackOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  return error.cause instanceof Error ? `${error.stack}\ncaused by: ${error.cause.stack}` : error.stack
}
