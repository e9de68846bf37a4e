/** The only place that turns errors into answers: `{"errors":[{"code","message","detail"}]}`. */
import { isKind, type Logger, messageOf } from '../../../base/index.ts'
import { toRegistryError } from '../model/registry-error.ts'
import type { RegistryExchange } from './registry-exchange.ts'

/** The rest of a refused body up to this size is read, so that the connection can be used again. */
const readForNothingBytes = 64 * 1024
/** How long the connection of a refused client that is still sending stays open, so that it can read the answer. */
const lingerMs = 1_000
const requestTimeout = 408

/** Answers a request that failed. If an answer has already begun, cuts the connection, so that the client doesn't take
 *  half a body for a whole one. */
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
