import { decodeFilters } from '../../http/index.ts'
import { pathParameter, type Route } from '../route.ts'
import type { NetworkBackend } from './backend.ts'

const pruneFilters: ReadonlySet<string> = new Set(['label', 'label!', 'until'])

const listFilters: ReadonlySet<string> = new Set(['dangling', 'driver', 'id', 'label', 'name', 'scope', 'type'])

/** The `/networks` routes that are built. */
export function networkRoutes(backend: NetworkBackend): readonly Route[] {
  return [
    {
      method: 'GET',
      pattern: '/networks',
      handle: async ({ exchange, query }) => {
        const networks = await backend.list(decodeFilters(query.text('filters'), listFilters))
        exchange.sendJson(
          200,
          networks.map((network) => ({ ...network, Containers: {} })),
        )
      },
    },
    {
      method: 'POST',
      pattern: '/networks/prune',
      handle: async ({ exchange, query }) => {
        decodeFilters(query.text('filters'), pruneFilters)
        // Only the predefined networks exist, which no prune removes.
        exchange.sendJson(200, { NetworksDeleted: null })
      },
    },
    {
      method: 'GET',
      pattern: '/networks/{id}',
      handle: async (call) => call.exchange.sendJson(200, await backend.inspect(pathParameter(call, 'id'))),
    },
  ]
}
