/** Node's HTTP modules without `import`. An import evaluates every export of a built-in module, and one of
 *  http's (`WebSocket`) loads the whole of undici for it: 17 MB of memory and 70 ms, measured on Node 26. */

type HttpModule = typeof import('node:http')
type HttpsModule = typeof import('node:https')

/** `node:http`. */
export const nodeHttp: HttpModule = process.getBuiltinModule('node:http')

/** `node:https`, with all of TLS: only for those who need it. */
export function nodeHttps(): HttpsModule {
  return process.getBuiltinModule('node:https')
}
