/** Turns an answer with a status of 400 or more into a BerthError. */
import { BerthError, type ErrorKind } from '../../base/index.ts'
import type { ResponseHead } from './http-response.ts'

const kinds: Readonly<Record<number, ErrorKind>> = {
  400: 'invalidArgument',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'notFound',
  409: 'conflict',
  501: 'notImplemented',
  503: 'unavailable',
}

/** The error of an answer: the daemon's text behind Docker's prefix. `details.status` has the status, `details.message`
 *  the text alone. */
export function responseError(head: ResponseHead, body: Buffer): BerthError {
  const message = messageIn(body) ?? (head.statusText === '' ? `HTTP status ${head.status}` : head.statusText)
  return new BerthError(kinds[head.status] ?? 'internal', `Error response from daemon: ${message}`, {
    details: { status: head.status, message },
  })
}

function messageIn(body: Buffer): string | undefined {
  const text = body.toString('utf8').trim()
  if (text === '') return undefined
  try {
    const parsed: unknown = JSON.parse(text)
    if (typeof parsed === 'object' && parsed !== null && 'message' in parsed && typeof parsed.message === 'string') {
      return parsed.message.trim()
    }
  } catch {
    // Not JSON: the plain text of a proxy or another server is shown unchanged.
  }
  return text.slice(0, 4096)
}
