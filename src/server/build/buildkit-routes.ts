/** `POST /session` and `POST /grpc`: connections that leave HTTP for gRPC. On the first, the daemon calls the client; on
 *  the second, the client calls the daemon. */

import type { BuildkitBackend, BuildkitSession } from '../../contract/index.ts'
import type { Route } from '../answers/route.ts'

/** The routes of BuildKit's protocol. */
export function buildkitRoutes(backend: { buildkit(): Promise<BuildkitBackend> }): readonly Route[] {
  return [
    {
      method: 'POST',
      pattern: '/session',
      takesConnection: true,
      handle: async ({ exchange }) => {
        const session = describe(exchange.headers)
        const buildkit = await backend.buildkit()
        buildkit.checkSession(session)
        await buildkit.serveSession(await exchange.connection.upgrade('h2c'), session)
      },
    },
    {
      method: 'POST',
      pattern: '/grpc',
      takesConnection: true,
      handle: async ({ exchange }) => {
        const buildkit = await backend.buildkit()
        await buildkit.serve(await exchange.connection.upgrade('h2c'))
      },
    },
  ]
}

function describe(headers: Readonly<Record<string, string | readonly string[] | undefined>>): BuildkitSession {
  const all = (name: string) => {
    const value = headers[`x-docker-expose-session-${name}`] ?? []
    return typeof value === 'string' ? value.split(/,\s*/) : value
  }
  return { id: all('uuid')[0] ?? '', sharedKey: all('sharedkey').join(','), methods: all('grpc-method') }
}
