import { invalidArgument, notFound } from '../../base/index.ts'
import { decodeFilters, type NetworkBackend } from '../../contract/index.ts'
import { type Call, isBelow, pathParameter, type Route } from '../answers/route.ts'
import { decodeConnect, decodeCreate, decodeDisconnect } from '../requests/network-bodies.ts'

const pruneFilters: ReadonlySet<string> = new Set(['label', 'label!', 'until'])

const listFilters: ReadonlySet<string> = new Set(['dangling', 'driver', 'id', 'label', 'name', 'scope', 'type'])

/** The `/networks` routes. */
export function networkRoutes(backend: NetworkBackend): readonly Route[] {
  return [
    {
      method: 'GET',
      pattern: '/networks',
      handle: async (call) => {
        const networks = await backend.list(decodeFilters(call.query.text('filters'), listFilters))
        // Below 1.28 a list shows the containers as well.
        const shown = isBelow(call, '1.28')
          ? await Promise.all(networks.map(({ Id }) => backend.inspect(Id)))
          : networks.map((network) => ({ ...network, Containers: {} }))
        call.exchange.sendJson(200, shown)
      },
    },
    {
      method: 'POST',
      pattern: '/networks/create',
      handle: async ({ exchange }) =>
        exchange.sendJson(201, await backend.create(decodeCreate(await exchange.readJson()))),
    },
    {
      method: 'POST',
      pattern: '/networks/prune',
      handle: async ({ exchange, query }) =>
        exchange.sendJson(200, await backend.prune(decodeFilters(query.text('filters'), pruneFilters))),
    },
    { method: 'GET', pattern: '/networks/{id}', handle: (call) => inspect(backend, call) },
    {
      method: 'DELETE',
      pattern: '/networks/{id}',
      handle: async (call) => {
        await backend.remove(pathParameter(call, 'id'))
        call.exchange.sendEmpty(204)
      },
    },
    {
      method: 'POST',
      pattern: '/networks/{id}/connect',
      handle: async (call) => {
        const { Container: container, EndpointConfig: settings } = decodeConnect(await call.exchange.readJson())
        await backend.connect(pathParameter(call, 'id'), container ?? '', settings ?? {})
        call.exchange.sendEmpty(200)
      },
    },
    {
      method: 'POST',
      pattern: '/networks/{id}/disconnect',
      handle: async (call) => {
        // `Force` is for endpoints that a removed container left behind. Berth leaves none, so it has no effect.
        const { Container: container } = decodeDisconnect(await call.exchange.readJson())
        await backend.disconnect(pathParameter(call, 'id'), container ?? '')
        call.exchange.sendEmpty(200)
      },
    },
  ]
}

/** `verbose` would add the tasks of swarm services. There is no swarm, so it only is checked. */
async function inspect(backend: NetworkBackend, call: Call): Promise<void> {
  const id = pathParameter(call, 'id')
  const [scope, verbose] = [call.query.text('scope'), call.query.text('verbose')]
  if (!/^(|1|t|T|true|TRUE|True|0|f|F|false|FALSE|False)$/.test(verbose)) {
    const what = `strconv.ParseBool: parsing ${JSON.stringify(verbose)}: invalid syntax`
    throw invalidArgument(`invalid value for verbose: ${verbose}: ${what}`)
  }
  if (scope !== '' && scope !== 'local') throw notFound(`network ${id} not found`)
  call.exchange.sendJson(200, await backend.inspect(id))
}
