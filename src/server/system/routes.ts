import type { DiskUsageType } from '../../api/index.ts'
import { invalidArgument, isKind } from '../../base/index.ts'
import { decodeFilters, type SystemBackend } from '../../contract/index.ts'
import { formatJsonLine } from '../../http/index.ts'
import { type Call, isBelow, type Route } from '../answers/route.ts'
import { parseTimestamp } from '../requests/timestamp.ts'
import { downgradeDiskUsage, downgradeInfo, withLegacyMembers } from '../versions/index.ts'

const eventFilters: ReadonlySet<string> = new Set([
  'config',
  'container',
  'daemon',
  'event',
  'image',
  'label',
  'network',
  'node',
  'plugin',
  'scope',
  'secret',
  'service',
  'type',
  'volume',
])

const diskUsageTypes: readonly DiskUsageType[] = ['container', 'image', 'volume', 'build-cache']

/** `/_ping`, `/version`, `/info`, `/events`, `/system/df`, and the list of plugins, which is empty. */
export function systemRoutes(backend: SystemBackend): readonly Route[] {
  return [
    { method: 'GET', pattern: '/_ping', handle: ping },
    {
      method: 'HEAD',
      pattern: '/_ping',
      handle: async (call) => {
        backend.greet()
        await ping(call)
      },
    },
    {
      method: 'GET',
      pattern: '/version',
      handle: async ({ exchange }) => exchange.sendJson(200, await backend.version()),
    },
    {
      method: 'GET',
      pattern: '/info',
      handle: async ({ exchange, apiVersion }) =>
        exchange.sendJson(200, downgradeInfo(await backend.info(), apiVersion)),
    },
    { method: 'GET', pattern: '/events', handle: (call) => sendEvents(backend, call) },
    { method: 'GET', pattern: '/system/df', handle: (call) => sendDiskUsage(backend, call) },
    // This route exists only in Berth.
    {
      method: 'POST',
      pattern: '/berth/check',
      handle: async ({ exchange }) => exchange.sendJson(200, await backend.check({ signal: exchange.signal })),
    },
    { method: 'GET', pattern: '/plugins', handle: async ({ exchange }) => exchange.sendJson(200, []) },
  ]
}

async function ping({ exchange }: Call): Promise<void> {
  exchange.setHeader('Builder-Version', '2')
  exchange.setHeader('Swarm', 'inactive')
  exchange.setHeader('Cache-Control', 'no-cache, no-store, must-revalidate')
  exchange.setHeader('Pragma', 'no-cache')
  if (exchange.method === 'HEAD') exchange.sendEmpty(200, { 'Content-Type': 'text/plain; charset=utf-8' })
  else exchange.sendText(200, 'OK')
}

async function sendEvents(backend: SystemBackend, { exchange, query }: Call): Promise<void> {
  // Unlike in logs, 0 is a time here: all events that are kept.
  const sinceNs = query.text('since') === '0' ? 0n : parseTimestamp('since', query.text('since'))
  const untilNs = parseTimestamp('until', query.text('until'))
  if (sinceNs !== undefined && untilNs !== undefined && untilNs < sinceNs) {
    throw invalidArgument(
      `\`since\` time (${query.text('since')}) cannot be after \`until\` time (${query.text('until')})`,
    )
  }
  // Docker ignores unknown filters here.
  const given = Object.entries(decodeFilters(query.text('filters')))
  const filters = Object.fromEntries(given.filter(([key]) => eventFilters.has(key)))
  const events = backend.events({ sinceNs, untilNs, filters }, { signal: exchange.signal })
  const response = exchange.openStream(200, 'application/json')
  try {
    for await (const event of events) response.write(formatJsonLine(withLegacyMembers(event)))
  } catch (error) {
    // Most of these streams end because the client leaves.
    if (!isKind(error, 'cancelled') && !exchange.signal.aborted) throw error
  }
  response.end()
}

async function sendDiskUsage(backend: SystemBackend, call: Call): Promise<void> {
  const { exchange, query } = call
  // API 1.42 introduced this parameter.
  const asked = (isBelow(call, '1.42') ? [] : query.all('type')).map((type) => {
    const known = diskUsageTypes.find((candidate) => candidate === type)
    if (known === undefined) throw invalidArgument(`unknown object type: ${type}`)
    return known
  })
  const usage = await backend.diskUsage(new Set(asked.length === 0 ? diskUsageTypes : asked))
  exchange.sendJson(200, downgradeDiskUsage(usage, call.apiVersion))
}
