/** The routes of builds: `POST /build` (an archive or a URL; Docker's classic stream or Berth's events), the session of
 *  `berth build`, cancel and prune. */
import type { ServerResponse } from 'node:http'
import { BerthError, invalidArgument, type Logger, shortId } from '../../base/index.ts'
import { type BuildBackend, type BuildClient, decodeFilters } from '../../contract/index.ts'
import { type Exchange, formatJsonLine } from '../../http/index.ts'
import { familiarReference, parseReference, withDefaultTag } from '../../oci/index.ts'
import type { Call, Route } from '../answers/route.ts'
import { decodeRegistryConfig } from '../requests/registry-auth.ts'
import { readClassicRequest } from './classic-request.ts'
import { ClassicStream, classicError } from './classic-stream.ts'
import { errorEvent } from './error-event.ts'
import { serveSession } from './session.ts'
import { SessionBuilds } from './session-builds.ts'

const pruneFilters: ReadonlySet<string> = new Set([
  'until',
  'id',
  'parent',
  'type',
  'description',
  'inuse',
  'shared',
  'private',
])

/** The routes of builds. */
export function buildRoutes(backend: BuildBackend, logger: Logger): readonly Route[] {
  const running = new Map<string, AbortController>()
  const sessionBuilds = new SessionBuilds(backend, running)
  return [
    {
      method: 'POST',
      pattern: '/build',
      handle: (call) =>
        call.query.text('version') === '2' ? sessionBuilds.build(call) : build(backend, running, call),
    },
    {
      method: 'POST',
      pattern: '/build/session',
      takesConnection: true,
      handle: (call) => serveSession(backend, call, logger),
    },
    {
      method: 'POST',
      pattern: '/build/cancel',
      handle: async ({ exchange, query }) => {
        const id = query.text('id')
        if (id === '') throw invalidArgument('build ID not provided')
        // An unknown id is no error: that build has ended.
        running.get(id)?.abort(new BerthError('cancelled', 'build cancelled'))
        exchange.sendEmpty(200)
      },
    },
    { method: 'POST', pattern: '/build/prune', handle: (call) => prune(backend, call) },
  ]
}

async function build(
  backend: BuildBackend,
  running: Map<string, AbortController>,
  { exchange, query }: Call,
): Promise<void> {
  const request = readClassicRequest(query)
  const abort = new AbortController()
  const id = query.text('buildid')
  if (id !== '') running.set(id, abort)
  const signal = AbortSignal.any([exchange.signal, abort.signal])
  const common = {
    signal,
    tar: () => exchange.body,
    auths: decodeRegistryConfig(exchange.headers['x-registry-config']),
  }
  try {
    if (query.text('progress') === 'berth') await streamEvents(backend, exchange, request, common)
    else await streamClassic(backend, exchange, request, common, query.flag('q'))
  } finally {
    if (id !== '') running.delete(id)
  }
}

type CommonClient = Pick<BuildClient, 'signal' | 'tar' | 'auths'>

async function streamEvents(
  backend: BuildBackend,
  exchange: Exchange,
  request: Parameters<BuildBackend['build']>[0],
  common: CommonClient,
): Promise<void> {
  const stream = exchange.openStream(200, 'application/json')
  const emit: BuildClient['emit'] = (event) => {
    if (!stream.destroyed) stream.write(formatJsonLine(event))
  }
  try {
    await backend.build(request, { ...common, emit })
    emit({ type: 'done' })
  } catch (error) {
    emit(errorEvent(error))
  }
  stream.end()
}

/** Sends the status with the first line, so that a build that fails before is answered with an error status. */
async function streamClassic(
  backend: BuildBackend,
  exchange: Exchange,
  request: Parameters<BuildBackend['build']>[0],
  common: CommonClient,
  isQuiet: boolean,
): Promise<void> {
  let stream: ServerResponse | undefined
  const write = (message: unknown) => {
    stream ??= exchange.openStream(200, 'application/json')
    if (!stream.destroyed) stream.write(formatJsonLine(message))
  }
  const shown = new ClassicStream(isQuiet ? () => {} : write)
  try {
    const images = await backend.build(request, {
      ...common,
      emit: (event) => shown.event(event),
      onPlan: (stages) => shown.plan(stages),
      onStep: (report) => shown.step(report),
    })
    for (const { id, tags } of images) {
      if (id === undefined) continue
      if (isQuiet) write({ stream: `${id}\n` })
      else write({ stream: `Successfully built ${shortId(id)}\n` })
      if (isQuiet) continue
      for (const tag of tags) {
        const name = familiarReference(withDefaultTag(parseReference(tag)))
        write({ stream: `Successfully tagged ${name}\n` })
      }
    }
    stream ??= exchange.openStream(200, 'application/json')
    stream.end()
  } catch (error) {
    if (stream === undefined || stream.destroyed) throw error
    stream.end(formatJsonLine(classicError(error)))
  }
}

async function prune(backend: BuildBackend, { exchange, query }: Call): Promise<void> {
  const filters = decodeFilters(query.text('filters'), pruneFilters)
  const reserved = query.integer('reserved-space') ?? query.integer('keep-storage')
  const result = await backend.prune({
    all: query.flag('all'),
    filters,
    reservedBytes: reserved,
    maxUsedBytes: query.integer('max-used-space'),
    minFreeBytes: query.integer('min-free-space'),
  })
  exchange.sendJson(200, result)
}
