import type { VolumeCreateBody } from '../../api/index.ts'
import { BerthError } from '../../base/index.ts'
import { decodeFilters, type VolumeBackend } from '../../contract/index.ts'
import { type Call, isBelow, pathParameter, type Route } from '../answers/route.ts'
import { notSwarmManager } from '../answers/unbuilt-routes.ts'
import { labels, name, options, readBody, type StructMembers } from '../requests/shape.ts'
import { volumeArchiveRoutes } from './archive-routes.ts'

const listFilters: ReadonlySet<string> = new Set(['dangling', 'driver', 'label', 'name'])
const pruneFilters: ReadonlySet<string> = new Set(['all', 'label', 'label!'])

const createMembers: StructMembers = {
  Name: name,
  Driver: name,
  DriverOpts: options,
  Labels: labels,
  ClusterVolumeSpec: 'object',
}

/** The `/volumes` routes. */
export function volumeRoutes(backend: VolumeBackend): readonly Route[] {
  return [
    ...volumeArchiveRoutes(backend),
    {
      method: 'GET',
      pattern: '/volumes',
      handle: async ({ exchange, query }) =>
        exchange.sendJson(200, await backend.list(decodeFilters(query.text('filters'), listFilters))),
    },
    { method: 'POST', pattern: '/volumes/create', handle: (call) => create(backend, call) },
    { method: 'POST', pattern: '/volumes/prune', handle: (call) => prune(backend, call) },
    {
      method: 'GET',
      pattern: '/volumes/{name...}',
      handle: async (call) => call.exchange.sendJson(200, await backend.inspect(pathParameter(call, 'name'))),
    },
    {
      method: 'DELETE',
      pattern: '/volumes/{name...}',
      handle: async (call) => {
        await backend.remove(pathParameter(call, 'name'), { force: call.query.flag('force') })
        call.exchange.sendEmpty(204)
      },
    },
  ]
}

async function create(backend: VolumeBackend, { exchange }: Call): Promise<void> {
  // No body counts as an empty one, which asks for an anonymous volume.
  const request: VolumeCreateBody = readBody('volume.CreateOptions', await exchange.readJson(), createMembers)
  if (request.ClusterVolumeSpec) throw new BerthError('unavailable', notSwarmManager)
  exchange.sendJson(201, await backend.create(request))
}

async function prune(backend: VolumeBackend, call: Call): Promise<void> {
  const filters = decodeFilters(call.query.text('filters'), pruneFilters)
  // Since 1.42 only anonymous volumes are pruned, unless the client sets `all`.
  const all = isBelow(call, '1.42') && filters.all === undefined ? { ...filters, all: ['true'] } : filters
  call.exchange.sendJson(200, await backend.prune(all))
}
