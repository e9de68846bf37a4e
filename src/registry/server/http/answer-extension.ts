/** Requests for paths outside the distribution protocol. */
import { invalidArgument } from '../../../base/index.ts'
import { RegistryError } from '../model/registry-error.ts'
import type { RegistryExtension } from '../model/registry-extension.ts'
import type { RegistryExchange } from './registry-exchange.ts'

/** Passes a request to its extension and sends the extension's answer. */
export async function answerExtension(exchange: RegistryExchange, extension: RegistryExtension): Promise<void> {
  const answer = await extension.answer({
    method: exchange.request.method,
    path: exchange.request.path,
    query: new URLSearchParams(exchange.request.queryText),
    headers: exchange.request.headers,
    remoteAddress: exchange.request.remoteAddress,
    isTls: exchange.request.isTls,
    clientCertificateName: exchange.request.clientCertificateName,
    readBody: (maxBytes) => exchange.body.readAll({ maxBytes, tooLong: () => tooLong(maxBytes) }),
  })
  exchange.user = answer.user
  exchange.answer.sendBytes(answer.status, Buffer.from(answer.body ?? ''), answer.headers ?? {})
}

function tooLong(maxBytes: number): RegistryError {
  const message = `the body is longer than ${maxBytes} bytes`
  return new RegistryError('SIZE_INVALID', { status: 413, message, cause: invalidArgument(message) })
}
