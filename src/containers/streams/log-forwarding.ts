/** Sends containers' logs to log servers. Delivery begins with a run, continues after its end, and resumes after a
 *  restart of the daemon. It never blocks a container, with one exception: as with Docker, the start waits for the
 *  first connection. */
import { statSync } from 'node:fs'
import { BerthError, messageOf, settlesWithin } from '../../base/index.ts'
import {
  bufferLimit,
  connectsLater,
  isForwarded,
  type LogDriver,
  LogForwarder,
  type LogInfo,
  localLogLimits,
  logAttributes,
  logTag,
  openLogDriver,
  PositionFile,
  readAheadLimit,
  retryPace,
} from '../../logs/index.ts'
import type { ContainerRecord } from '../record/container-record.ts'
import type { Uses } from '../record/dependencies.ts'

/** How long a removal waits for a server that accepts lines. */
const drainPatienceMs = 3000

/** Checks the log options and connects the driver. Gives the driver's connection, or undefined for a driver without
 *  one. Throws `internal`, as Docker does; the container is then not started. */
export async function prepareLogging(
  context: Uses<'settings'>,
  record: ContainerRecord,
): Promise<LogDriver | undefined> {
  const config = record.hostConfig.LogConfig ?? {}
  const info = logInfo(record)
  try {
    localLogLimits(config)
    logTag(info)
    logAttributes(info)
    if (!isForwarded(config) || connectsLater(config)) return undefined
    return await openLogDriver(config.Type ?? '', info, context.settings)
  } catch (cause) {
    const message = `failed to create task for container: failed to initialize logging driver: ${messageOf(cause)}`
    throw new BerthError('internal', message, { cause })
  }
}

/** Begins to deliver the log of a run. `driver` is the open connection from `prepareLogging`, if there is one. */
export async function beginForwarding(
  context: Uses<'live' | 'logger' | 'paths' | 'settings'>,
  record: ContainerRecord,
  driver: LogDriver | undefined,
): Promise<void> {
  const config = record.hostConfig.LogConfig ?? {}
  if (!isForwarded(config)) return
  const live = context.live.of(record.id)
  // The new forwarder delivers what the previous one did not.
  await live.forwarder?.abandon()
  const forwarder = LogForwarder.start({
    path: context.paths.log(record.id),
    position: new PositionFile(context.paths.logPosition(record.id)),
    open: () => openLogDriver(config.Type ?? '', logInfo(record), context.settings),
    driver,
    pace: retryPace(config),
    maxBufferBytes: bufferLimit(config),
    readAheadBytes: readAheadLimit(config),
    logger: context.logger.child({ container: record.id, driver: config.Type ?? '' }),
  })
  live.forwarder = forwarder
  void forwarder.done.then(() => {
    if (live.forwarder === forwarder) live.forwarder = undefined
  })
}

/** After a restart of the daemon: continues for a running container, and delivers the rest for one that ended. */
export async function resumeForwarding(
  context: Uses<'live' | 'logger' | 'paths' | 'settings'>,
  record: ContainerRecord,
): Promise<void> {
  if (!isForwarded(record.hostConfig.LogConfig ?? {})) return
  const isRunning = record.state.status === 'running' || record.state.status === 'paused'
  if (!isRunning && isDelivered(context, record.id)) return
  await beginForwarding(context, record, undefined)
  if (!isRunning) context.live.of(record.id).forwarder?.finish()
}

/** Ends delivery because the container is removed. If the server still accepts lines, the rest is delivered, for at
 *  most 3 s; otherwise it is lost with the log. */
export async function endForwarding({ clock }: Uses<'clock'>, forwarder: LogForwarder | undefined): Promise<void> {
  if (forwarder === undefined) return
  forwarder.finish()
  if (!forwarder.isStuck) await settlesWithin(forwarder.done, drainPatienceMs, clock)
  await forwarder.abandon()
}

function isDelivered(context: Uses<'paths'>, id: string): boolean {
  const log = statSync(context.paths.log(id), { throwIfNoEntry: false })
  if (log === undefined || log.size === 0) return true
  const position = new PositionFile(context.paths.logPosition(id)).read()
  return position?.inode === log.ino && position.offset >= log.size
}

/** What log drivers and `docker logs --details` show of a container. */
export function logInfo(record: ContainerRecord): LogInfo {
  return {
    containerId: record.id,
    containerName: record.name,
    entrypoint: record.path,
    args: record.args,
    imageId: record.image.id,
    imageName: record.image.reference,
    created: record.created,
    env: record.config.Env ?? [],
    labels: record.config.Labels ?? {},
    options: record.hostConfig.LogConfig?.Config ?? {},
  }
}
