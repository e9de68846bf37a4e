import type { OutputSink } from '../base/index.ts'
import { conflict } from '../base/index.ts'
import { readLogs } from '../logs/index.ts'
import type { OutputSource } from './attach-io.ts'
import type { ContainerContext } from './dependencies.ts'
import { isActive } from './state.ts'

export interface LogsOptions {
  readonly stdout: boolean
  readonly stderr: boolean
  readonly follow: boolean
  readonly timestamps: boolean
  readonly details: boolean
  readonly tail: number | 'all'
  /** Nanoseconds since the epoch. */
  readonly sinceNs?: bigint | undefined
  readonly untilNs?: bigint | undefined
}

/** Finds a container's log; `run` carries it. Following ends with the run that is present. */
export async function containerLogs(
  context: ContainerContext,
  idOrName: string,
  options: LogsOptions,
  signal: AbortSignal | undefined,
): Promise<OutputSource<OutputSink>> {
  const record = context.containers.get(idOrName)
  if (record.hostConfig.LogConfig?.Type === 'none') {
    throw conflict('configured logging driver does not support reading')
  }
  const running = isActive(record.state.status)
  const { tail, ...rest } = options
  return {
    tty: record.config.Tty === true,
    run: (sink) =>
      readLogs(
        context.paths.log(record.id),
        { ...rest, ...(tail === 'all' ? {} : { tail }), follow: options.follow && running },
        sink,
        {
          signal,
          ended: followEnd(context, record.id),
        },
      ),
  }
}

/** Resolves when the container has stopped for good: a restart by policy goes on in the same log. */
async function followEnd(context: ContainerContext, id: string): Promise<void> {
  const status = context.containers.find(id)?.state.status
  if (status === undefined || !isActive(status)) return
  await context.live.of(id).nextStop()
}
