/** Routes of images: list, inspect, history, tag, remove and prune. */
import { invalidArgument } from '../../base/index.ts'
import type { ImageBackend } from '../../contract/index.ts'
import type { Query } from '../../http/index.ts'
import { type Call, isBelow, pathParameter, type Route } from '../answers/route.ts'
import { downgradeImageInspect, downgradeImageSummary, shapeVersion } from '../versions/index.ts'
import { readListFilters, readPruneFilters } from './filters.ts'
import { readPlatform, readPlatforms } from './platform.ts'
import { imageSaveRoutes } from './save-routes.ts'
import { imageSourceRoutes } from './source-routes.ts'

/** The `/images` routes. */
export function imageRoutes(backend: ImageBackend): readonly Route[] {
  return [
    { method: 'GET', pattern: '/images/json', handle: (call) => list(backend, call) },
    ...imageSourceRoutes(backend),
    ...imageSaveRoutes(backend),
    {
      method: 'POST',
      pattern: '/images/prune',
      handle: async ({ exchange, query }) => {
        exchange.sendJson(200, await backend.prune(readPruneFilters(query)))
      },
    },
    {
      method: 'GET',
      pattern: '/images/{name...}/json',
      handle: async (call) => {
        const options = readInspectOptions(call.query)
        const image = await backend.inspect(pathParameter(call, 'name'), options)
        call.exchange.sendJson(200, downgradeImageInspect(image, shapeVersion(call.apiVersion, call.exchange.headers)))
      },
    },
    {
      method: 'GET',
      pattern: '/images/{name...}/history',
      handle: async (call) => {
        const options = { platform: readPlatform(call.query) }
        call.exchange.sendJson(200, await backend.history(pathParameter(call, 'name'), options))
      },
    },
    {
      method: 'POST',
      pattern: '/images/{name...}/tag',
      handle: async (call) => {
        const { exchange, query } = call
        await backend.tag(pathParameter(call, 'name'), query.text('repo'), query.text('tag'))
        exchange.sendEmpty(201)
      },
    },
    { method: 'DELETE', pattern: '/images/{name...}', handle: (call) => remove(backend, call) },
  ]
}

/** Options of an inspect. `manifests` and `platform` exclude each other. */
function readInspectOptions(query: Query): { readonly manifests: boolean; readonly platform: string | undefined } {
  const [manifests, platform] = [query.flag('manifests'), readPlatform(query)]
  if (manifests && platform !== undefined) {
    throw invalidArgument('conflicting options: manifests and platform options cannot both be set')
  }
  return { manifests, platform }
}

async function list(backend: ImageBackend, call: Call): Promise<void> {
  const { exchange, query, apiVersion } = call
  const filters = readListFilters(query)
  // Old clients send `filter=NAME` instead of the filter `reference`.
  const name = isBelow(call, '1.41') ? query.optional('filter') : undefined
  const images = await backend.list({
    all: query.flag('all'),
    sharedSize: query.flag('shared-size'),
    manifests: query.flag('manifests'),
    filters: name === undefined ? filters : { ...filters, reference: [...(filters.reference ?? []), name] },
  })
  exchange.sendJson(
    200,
    images.map((image) => downgradeImageSummary(image, apiVersion)),
  )
}

async function remove(backend: ImageBackend, call: Call): Promise<void> {
  const { exchange, query } = call
  const name = pathParameter(call, 'name')
  if (name.trim() === '') throw invalidArgument('image name cannot be blank')
  const options = { force: query.flag('force'), prune: !query.flag('noprune'), platforms: readPlatforms(query) }
  exchange.sendJson(200, await backend.remove(name, options))
}
