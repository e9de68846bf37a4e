/** The one place that turns errors into answers: `{"errors":[{"code","message","detail"}]}`. */
import { isKind, type Logger, messageOf } from '../../base/index.ts'
import { toRegistryError } from './registry-error.ts'
import type { RegistryExchange } from './registry-exchange.ts'

/** Answers a request that failed. After an answer began nothing can follow: the connection is cut, so that the client
 *  doesn't take a half for a whole. */
export function answerError(exchange: RegistryExchange, error: unknown, logger: Logger): void {
  const { response } = exchange
  const fields = { method: exchange.method, path: exchange.path }
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
  exchange.sendJson(failure.status, { errors: failure.entries }, failure.headers)
}

function stackOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  return error.cause instanceof Error ? `${error.stack}\ncaused by: ${error.cause.stack}` : error.stack
}
