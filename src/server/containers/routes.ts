/** Routes of containers: create, start, stop, inspect and all that is no stream. */
import { BerthError, invalidArgument, isBerthError, type Logger } from '../../base/index.ts'
import type { ContainerBackend } from '../../contract/index.ts'
import { type Call, isBelow, pathParameter, type Route } from '../answers/route.ts'
import { notImplementedHere } from '../answers/unbuilt-routes.ts'
import { decodeCreateBody, decodeUpdateBody } from '../requests/create-body.ts'
import { deprecationWarnings, upgradeCreateBody } from '../versions/index.ts'
import { containerArchiveRoutes } from './archive-routes.ts'
import { toApiInspect, toApiSummaries } from './convert.ts'
import { containerFileRoutes } from './file-routes.ts'
import {
  readContainerName,
  readListFilters,
  readPruneFilters,
  readStopOptions,
  readTerminalSize,
} from './query-options.ts'
import { containerStatsRoute } from './stats-route.ts'
import { containerStreamRoutes } from './stream-routes.ts'
import { refuseUnsupported } from './unsupported.ts'

/** The `/containers` routes. */
export function containerRoutes(backend: ContainerBackend, logger: Logger): readonly Route[] {
  return [
    ...queryRoutes(backend),
    ...containerStreamRoutes(backend, logger),
    ...lifecycleRoutes(backend),
    ...containerFileRoutes(backend),
    ...containerArchiveRoutes(backend),
    containerStatsRoute(backend),
    {
      method: 'POST',
      pattern: '/containers/prune',
      handle: async ({ exchange, query }) => {
        exchange.sendJson(200, await backend.prune(readPruneFilters(query)))
      },
    },
  ]
}

function queryRoutes(backend: ContainerBackend): readonly Route[] {
  return [
    {
      method: 'GET',
      pattern: '/containers/json',
      handle: async (call) => {
        const { exchange, query } = call
        const size = query.flag('size')
        const filters = readListFilters(query)
        const limit = query.integer('limit')
        const options = { all: query.flag('all'), size, filters, limit: limit === 0 ? undefined : limit }
        exchange.sendJson(200, toApiSummaries(call, await backend.list(options), { size }))
      },
    },
    {
      method: 'GET',
      pattern: '/containers/{id}/json',
      handle: async (call) => {
        const size = call.query.flag('size')
        call.exchange.sendJson(200, toApiInspect(call, await backend.inspect(pathParameter(call, 'id'), { size })))
      },
    },
    {
      method: 'GET',
      pattern: '/containers/{id}/top',
      handle: async (call) => {
        const psArgs = call.query.optional('ps_args') ?? '-ef'
        call.exchange.sendJson(200, await backend.top(pathParameter(call, 'id'), psArgs))
      },
    },
  ]
}

function lifecycleRoutes(backend: ContainerBackend): readonly Route[] {
  return [
    { method: 'POST', pattern: '/containers/create', handle: (call) => create(backend, call) },
    action('start', async (call, id) => {
      refuseStartBody(call)
      if (call.query.text('checkpoint') !== '') throw notImplementedHere('checkpoint')
      // `detachKeys` has no effect, as in Docker: the client sends it with the attach request as well.
      await backend.start(id)
    }),
    action('stop', (call, id) => backend.stop(id, stopOptions(call))),
    action('restart', (call, id) =>
      explained(`Cannot restart container ${id}`, backend.restart(id, stopOptions(call)), `No such container: ${id}`),
    ),
    action('kill', ({ query }, id) =>
      explained(`cannot kill container: ${id}`, backend.kill(id, query.optional('signal') ?? 'SIGKILL')),
    ),
    action('pause', (_, id) => backend.pause(id)),
    action('unpause', (_, id) => backend.unpause(id)),
    action('rename', ({ query }, id) => {
      const name = query.text('name')
      if (name === '') throw invalidArgument('Neither old nor new names may be empty')
      return backend.rename(id, name)
    }),
    {
      method: 'POST',
      pattern: '/containers/{id}/update',
      handle: async (call) => {
        const { KernelMemory, ...known } = decodeUpdateBody(await call.exchange.readJson())
        // API 1.42 removed this limit.
        const changes = KernelMemory !== undefined && isBelow(call, '1.42') ? { ...known, KernelMemory } : known
        call.exchange.sendJson(200, await backend.update(pathParameter(call, 'id'), changes))
      },
    },
    action('resize', ({ query }, id) => backend.resize(id, readTerminalSize(query)), 200),
    {
      method: 'DELETE',
      // A link's name has a slash in it.
      pattern: '/containers/{id...}',
      handle: async (call) => {
        const { exchange, query } = call
        const id = pathParameter(call, 'id')
        // Removes the link `/parent/alias`, never the container.
        if (query.flag('link')) await backend.removeLink(id)
        else await backend.remove(id, { force: query.flag('force'), volumes: query.flag('v') })
        exchange.sendEmpty(204)
      },
    },
  ]
}

/** Puts what was being done in front of an error's message. A message that equals `plain` stays as it is. */
async function explained(what: string, work: Promise<void>, plain?: string): Promise<void> {
  try {
    await work
  } catch (cause) {
    if (!isBerthError(cause) || cause.message === plain) throw cause
    throw new BerthError(cause.kind, `${what}: ${cause.message}`, { cause, details: cause.details })
  }
}

/** `POST /containers/{id}/VERB`, answered without a body. */
function action(verb: string, work: (call: Call, id: string) => Promise<void>, status = 204): Route {
  return {
    method: 'POST',
    pattern: `/containers/{id}/${verb}`,
    handle: async (call) => {
      await work(call, pathParameter(call, 'id'))
      call.exchange.sendEmpty(status)
    },
  }
}

async function create(backend: ContainerBackend, call: Call): Promise<void> {
  const { exchange, query, apiVersion } = call
  const given = decodeCreateBody(await exchange.readJson())
  const body = upgradeCreateBody(given, apiVersion)
  refuseUnsupported(body.config, body.hostConfig)
  const created = await backend.create({
    ...body,
    name: readContainerName(query.text('name')),
    platform: isBelow(call, '1.41') ? undefined : query.optional('platform'),
  })
  exchange.sendJson(201, { Id: created.Id, Warnings: [...deprecationWarnings(given, apiVersion), ...created.Warnings] })
}

function stopOptions(call: Call): ReturnType<typeof readStopOptions> {
  const options = readStopOptions(call.query)
  // API 1.42 introduced the signal; older daemons ignored it.
  return isBelow(call, '1.42') ? { timeoutSeconds: options.timeoutSeconds } : options
}

/** Refuses a body. Up to 1.23 it could be a HostConfig; `{}` and `null` are still accepted. */
function refuseStartBody({ exchange }: Call): void {
  if (Number(exchange.headers['content-length'] ?? 0) > 7) {
    throw invalidArgument(
      'starting container with non-empty request body was deprecated since API v1.22 and removed in v1.24',
    )
  }
}
