/** attach, logs and wait: routes with long answers. */
import type { ContainerWaitResponse } from '../../api/index.ts'
import { type Logger, messageOf } from '../../base/index.ts'
import type { ContainerBackend } from '../../contract/index.ts'
import { acceptWebSocket, formatJsonLine, StreamSink } from '../../http/index.ts'
import { carry, carryBothWays, streamContentType } from '../answers/output-stream.ts'
import { type Call, isBelow, pathParameter, type Route } from '../answers/route.ts'
import { readAttachOptions, readLogsOptions, readWaitCondition } from './query-options.ts'

/** Routes of container streams. */
export function containerStreamRoutes(backend: ContainerBackend, logger: Logger): readonly Route[] {
  return [
    { method: 'GET', pattern: '/containers/{id}/logs', handle: (call) => sendLogs(backend, logger, call) },
    { method: 'POST', pattern: '/containers/{id}/wait', handle: (call) => sendWaitResult(backend, call) },
    {
      method: 'POST',
      pattern: '/containers/{id}/attach',
      takesConnection: true,
      handle: (call) => attach(backend, logger, call),
    },
    {
      method: 'GET',
      pattern: '/containers/{id}/attach/ws',
      takesConnection: true,
      handle: (call) => attachWebSocket(backend, logger, call),
    },
  ]
}

async function attach(backend: ContainerBackend, logger: Logger, call: Call): Promise<void> {
  const options = readAttachOptions(call.query)
  const source = await backend.attach(pathParameter(call, 'id'), options, { signal: call.exchange.signal })
  const connection = await call.exchange.connection.hijack(streamContentType(call, source.tty))
  connection.endWithPeer()
  await carryBothWays(connection, source, { stdin: options.stdin, multiplexed: !source.tty, logger })
}

async function attachWebSocket(backend: ContainerBackend, logger: Logger, call: Call): Promise<void> {
  const options = readAttachOptions(call.query)
  const source = await backend.attach(pathParameter(call, 'id'), options, { signal: call.exchange.signal })
  const connection = await acceptWebSocket(call.exchange)
  await carryBothWays(connection, source, { stdin: options.stdin, multiplexed: false, logger })
}

async function sendLogs(backend: ContainerBackend, logger: Logger, call: Call): Promise<void> {
  const { exchange } = call
  const options = readLogsOptions(call.query)
  const source = await backend.logs(pathParameter(call, 'id'), options, { signal: exchange.signal })
  const response = exchange.openStream(200, streamContentType(call, source.tty))
  const framePerLine = !joinsFrames(exchange.headers['user-agent'])
  await carry(new StreamSink(response, { multiplexed: !source.tty, framePerLine }), logger, (sink) => source.run(sink))
}

/** Whether the client concatenates frames, so that one frame may carry several lines. Command lines do, and each frame
 *  costs time. Programs that use a library may take one frame for one line (docker-py's `logs(stream=True)`), as Docker
 *  sends it. */
function joinsFrames(userAgent: string | undefined): boolean {
  return /^(Docker-Client\/|berth)/.test(userAgent ?? '')
}

async function sendWaitResult(backend: ContainerBackend, call: Call): Promise<void> {
  const { exchange } = call
  const condition = isBelow(call, '1.30') ? 'not-running' : readWaitCondition(call.query)
  const handle = await backend.wait(pathParameter(call, 'id'), condition, { signal: exchange.signal })
  if (isBelow(call, '1.30')) {
    exchange.sendJson(200, await handle.result)
    return
  }
  const response = exchange.openStream(200, 'application/json')
  response.end(formatJsonLine(await resultOrError(handle.result)))
}

/** The result, or the failure in the form of a result, because the status has been sent. */
async function resultOrError(result: Promise<ContainerWaitResponse>): Promise<ContainerWaitResponse> {
  try {
    return await result
  } catch (error) {
    return { StatusCode: -1, Error: { Message: messageOf(error) } }
  }
}
