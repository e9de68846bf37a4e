/** `GET /containers/{id}/stats`: one JSON document, or one every second. */
import { once } from 'node:events'
import { invalidArgument } from '../../base/index.ts'
import type { ContainerBackend } from '../../contract/index.ts'
import { formatJsonLine } from '../../http/index.ts'
import { type Call, isBelow, pathParameter, type Route } from '../answers/route.ts'

/** Makes the route. */
export function containerStatsRoute(backend: ContainerBackend): Route {
  return { method: 'GET', pattern: '/containers/{id}/stats', handle: (call) => sendStats(backend, call) }
}

async function sendStats(backend: ContainerBackend, call: Call): Promise<void> {
  const { exchange, query } = call
  const stream = query.flagOr('stream', true)
  // API 1.41 introduced this parameter.
  const oneShot = query.flag('one-shot') && !isBelow(call, '1.41')
  if (stream && oneShot) throw invalidArgument('cannot have stream=true and one-shot=true')
  const readings = backend.stats(pathParameter(call, 'id'), { stream, oneShot }, { signal: exchange.signal })
  // The first reading fails if there is no such container.
  const first = await readings.next()
  const response = exchange.openStream(200, 'application/json')
  for (let next = first; next.done !== true; next = await readings.next()) {
    if (!response.write(formatJsonLine(next.value)))
      await Promise.race([once(response, 'drain'), once(response, 'close')])
  }
  response.end()
}
