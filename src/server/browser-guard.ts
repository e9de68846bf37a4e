/** Protects an API on a loopback address from scripts in a browser on the same host. Two kinds of attack reach it:
 *  a page whose own name resolves to 127.0.0.1 after it was loaded (DNS rebinding), and a page that sends requests
 *  without reading the answers. A browser names the page's host in `Host` in the first case and in `Origin` in the
 *  second one; scripts can't change either. */
import { BerthError, type Logger } from '../base/index.ts'
import { isLoopbackAddress } from '../config/index.ts'
import type { RequestHandler } from '../http/index.ts'
import { answerError } from './answers/errors.ts'

/** Wraps a handler. A request whose `Host` or `Origin` is neither a name or address of loopback nor `boundHost`, the
 *  host that the user named for the listener, is answered with 403. Any port is accepted, as ports are forwarded. */
export function guardFromBrowsers(handler: RequestHandler, boundHost: string, logger: Logger): RequestHandler {
  return {
    takesConnection: (method, url) => handler.takesConnection(method, url),
    async handle(exchange) {
      const { host, origin } = exchange.headers
      const foreign = foreignHeader(host, origin, boundHost)
      if (foreign === undefined) await handler.handle(exchange)
      else answerError(exchange, refusal(foreign, boundHost), logger)
    },
  }
}

/** The header that names a foreign host, as it came; undefined when there is none. */
function foreignHeader(host: string | undefined, origin: string | undefined, boundHost: string): string | undefined {
  // HTTP/1.0 has requests without Host; browsers send none of them.
  if (host !== undefined && !isOwnHost(`http://${host}`, boundHost)) return `Host: ${host}`
  if (origin !== undefined && !isOwnHost(origin, boundHost)) return `Origin: ${origin}`
  return undefined
}

function isOwnHost(origin: string, boundHost: string): boolean {
  const url = URL.parse(origin)
  if (url === null || url.username !== '' || url.password !== '' || url.pathname !== '/') return false
  const hostname = url.hostname.replace(/^\[|\]$/g, '')
  // `localhost` and all names below it are loopback: RFC 6761, section 6.3.
  return hostname === boundHost || /^(?:.+\.)?localhost\.?$/.test(hostname) || isLoopbackAddress(hostname)
}

function refusal(header: string, boundHost: string): BerthError {
  const accepted = [...new Set(['localhost', 'loopback addresses', boundHost])].join(', ')
  return new BerthError(
    'forbidden',
    `refused for the header "${header}": without client certificates only requests for ${accepted} are answered here, as a protection from scripts in browsers`,
  )
}
