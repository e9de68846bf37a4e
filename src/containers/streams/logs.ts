/** `GET /containers/{id}/logs`. */
import type { OutputSink } from '../../base/index.ts'
import { notImplemented } from '../../base/index.ts'
import type { LogsOptions, OutputSource } from '../../contract/index.ts'
import { isReadable, logAttributes, logTag, readLogs } from '../../logs/index.ts'
import type { ContainerRecord } from '../record/container-record.ts'
import type { Uses } from '../record/dependencies.ts'
import { isActive } from '../record/state.ts'
import { logInfo } from './log-forwarding.ts'

/** Finds a container's log; `run` of the result sends it. With `follow`, it ends when the container stops for good.
 *  Throws `notFound`, and `notImplemented` if the log driver keeps no log that can be read. */
export async function containerLogs(
  context: Uses<'containers' | 'live' | 'paths'>,
  idOrName: string,
  options: LogsOptions,
  signal: AbortSignal | undefined,
): Promise<OutputSource<OutputSink>> {
  const record = context.containers.get(idOrName)
  const logConfig = record.hostConfig.LogConfig ?? {}
  if (!isReadable(logConfig)) throw notImplemented('configured logging driver does not support reading')
  const running = isActive(record.state.status)
  const { tail, details, ...rest } = options
  const shown = details ? { details: `${lineAttributes(record)} ` } : {}
  return {
    tty: record.config.Tty === true,
    async run(sink) {
      const follow = options.follow && running
      const live = context.live.of(record.id)
      if (follow) live.followers += 1
      try {
        const limits = { ...rest, ...shown, ...(tail === 'all' ? {} : { tail }), follow }
        await readLogs(context.paths.log(record.id), limits, sink, {
          signal,
          ...(follow ? { ended: followEnd(context, record.id, signal) } : {}),
        })
      } finally {
        if (follow) live.followers -= 1
      }
    },
  }
}

/** Resolves when the container has stopped for good or the client has disconnected. A restart by policy does not count
 *  as a stop: it continues the same log. */
async function followEnd(
  context: Uses<'containers' | 'live'>,
  id: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const status = context.containers.find(id)?.state.status
  if (status === undefined || !isActive(status)) return
  await context.live
    .of(id)
    .nextStop({ signal })
    .catch(() => {})
}

/** The text that `--details` shows before each line: with the driver `json-file`, the chosen labels, variables and
 *  tag. */
function lineAttributes(record: ContainerRecord): string {
  if (record.hostConfig.LogConfig?.Type !== 'json-file') return ''
  const info = logInfo(record)
  const tag = info.options.tag ? { tag: logTag(info) } : {}
  return Object.entries({ ...logAttributes(info), ...tag })
    .map(([name, value]) => `${queryEscape(name)}=${queryEscape(value)}`)
    .toSorted()
    .join(',')
}

/** Escapes as in the query of a URL. */
function queryEscape(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1).replaceAll('*', '%2A').replaceAll('%7E', '~')
}
