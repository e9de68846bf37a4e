/** Node's HTTP modules without `import`. An import evaluates every export of a built-in module, and one export of
 *  `node:http` (`WebSocket`) loads all of undici: 17 MB of memory and 70 ms, measured on Node 26. */

type HttpModule = typeof import('node:http')
type HttpsModule = typeof import('node:https')

/** The module `node:http`. */
export const nodeHttp: HttpModule = process.getBuiltinModule('node:http')

/** The module `node:https`, loaded when it is first called, because all of TLS comes with it. */
export function nodeHttps(): HttpsModule {
  return process.getBuiltinModule('node:https')
}
