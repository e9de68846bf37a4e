import type { OutputSink } from '../../base/index.ts'
import { notImplemented } from '../../base/index.ts'
import type { LogsOptions, OutputSource } from '../../contract/index.ts'
import { isReadable, logAttributes, logTag, readLogs } from '../../logs/index.ts'
import type { ContainerRecord } from '../record/container-record.ts'
import type { Uses } from '../record/dependencies.ts'
import { isActive } from '../record/state.ts'
import { logInfo } from './log-forwarding.ts'

/** Finds a container's log; `run` carries it. Following ends with the run that is present. */
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

/** Resolves when the container has stopped for good (a restart by policy goes on in the same log), or nobody listens. */
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

/** What `--details` shows in front of each line: with the driver `json-file`, the chosen labels, variables and tag. */
function lineAttributes(record: ContainerRecord): string {
  if (record.hostConfig.LogConfig?.Type !== 'json-file') return ''
  const info = logInfo(record)
  const tag = info.options.tag ? { tag: logTag(info) } : {}
  return Object.entries({ ...logAttributes(info), ...tag })
    .map(([name, value]) => `${queryEscape(name)}=${queryEscape(value)}`)
    .toSorted()
    .join(',')
}

/** As in the query of a URL. */
function queryEscape(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1).replaceAll('*', '%2A').replaceAll('%7E', '~')
}
