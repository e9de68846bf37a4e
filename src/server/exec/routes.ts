import type { ExecConfig, ExecStartBody } from '../../api/index.ts'
import { invalidArgument, type Logger, type TerminalSize } from '../../base/index.ts'
import type { ExecBackend } from '../../contract/index.ts'
import { carryBothWays, streamContentType } from '../answers/output-stream.ts'
import { type Call, pathParameter, type Route } from '../answers/route.ts'
import { readTerminalSize } from '../containers/query-options.ts'
import { readExecConfig, readExecStart } from './bodies.ts'

/** The `/exec` routes and `POST /containers/{id}/exec`. */
export function execRoutes(backend: ExecBackend, logger: Logger): readonly Route[] {
  return [
    {
      method: 'POST',
      pattern: '/containers/{id}/exec',
      handle: async (call) => {
        const config: ExecConfig = readExecConfig(await call.exchange.readJson())
        if ((config.Cmd?.length ?? 0) === 0) throw invalidArgument('No exec command specified')
        call.exchange.sendJson(201, await backend.create(pathParameter(call, 'id'), config))
      },
    },
    {
      method: 'POST',
      pattern: '/exec/{id}/start',
      takesConnection: true,
      handle: (call) => start(backend, logger, call),
    },
    {
      method: 'POST',
      pattern: '/exec/{id}/resize',
      handle: async (call) => {
        await backend.resize(pathParameter(call, 'id'), readTerminalSize(call.query))
        call.exchange.sendEmpty(200)
      },
    },
    {
      method: 'GET',
      pattern: '/exec/{id}/json',
      handle: async (call) => call.exchange.sendJson(200, await backend.inspect(pathParameter(call, 'id'))),
    },
  ]
}

async function start(backend: ExecBackend, logger: Logger, call: Call): Promise<void> {
  const { exchange } = call
  const body = readExecStart(await exchange.readJson())
  const tty = body.Tty === true
  const detach = body.Detach === true
  const source = await backend.start(pathParameter(call, 'id'), { detach, tty, consoleSize: consoleSize(body, tty) })
  if (detach) {
    exchange.sendEmpty(200)
    return
  }
  // The start request decides about frames, not the exec's own `Tty`.
  const connection = await exchange.connection.hijack(streamContentType(call, tty))
  // The exec's own setting decides whether the process reads stdin. If it does not, the engine ignores the input.
  await carryBothWays(connection, source, { stdin: true, multiplexed: !tty, failuresTo: 'stdout', logger })
}

/** The size of the terminal; undefined without a terminal. */
function consoleSize({ ConsoleSize }: ExecStartBody, tty: boolean): TerminalSize | undefined {
  const [height = 0, width = 0] = ConsoleSize ?? []
  return tty && height > 0 && width > 0 ? { height, width } : undefined
}
