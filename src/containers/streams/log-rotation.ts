/** Keeps logs within `max-size` and `max-file`: while a container runs, the size of its log is checked twice a second.
 *  If the daemon is killed between the rename and the reopening, conmon goes on writing to the renamed file until
 *  `resumeRotation`. */
import { existsSync, statSync } from 'node:fs'
import { isKind, messageOf } from '../../base/index.ts'
import {
  isForwarded,
  type LocalLogLimits,
  localLogLimits,
  PositionFile,
  packOldLogs,
  rotateLog,
} from '../../logs/index.ts'
import type { ContainerRecord } from '../record/container-record.ts'
import type { Uses } from '../record/dependencies.ts'

const intervalMs = 500

/** Watches the size of a running container's log until the run ends. Does nothing if the log has no limit. */
export function watchLogSize(context: Uses<'live' | 'runtime' | 'logger' | 'paths'>, record: ContainerRecord): void {
  const limits = localLogLimits(record.hostConfig.LogConfig ?? {})
  if (limits === undefined) return
  let busy = false
  const look = async () => {
    if (busy) return
    busy = true
    try {
      await keepWithin(context, record, limits)
    } catch (error) {
      // The container has just ended, so its log no longer grows.
      if (isKind(error, 'conflict') || isKind(error, 'notFound')) return
      context.logger.warn('log was not rotated', { container: record.id, error: messageOf(error) })
    } finally {
      busy = false
    }
  }
  const timer = setInterval(look, intervalMs).unref()
  void context.live.of(record.id).ended.then(() => clearInterval(timer))
}

async function keepWithin(
  context: Uses<'runtime' | 'paths'>,
  { id, hostConfig }: ContainerRecord,
  { maxSizeBytes, maxFiles, compress }: LocalLogLimits,
): Promise<void> {
  const path = context.paths.log(id)
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) >= maxSizeBytes) {
    rotateLog(path, { maxFiles, reopen: () => context.runtime.get(id).reopenLog() })
  } else if (compress) {
    // A file that the log server has not received yet must stay uncompressed.
    const waits = isForwarded(hostConfig.LogConfig ?? {})
    const delivered = waits ? new PositionFile(context.paths.logPosition(id)).read()?.inode : undefined
    const current = statSync(path, { throwIfNoEntry: false })?.ino
    await packOldLogs(path, () => waits && delivered !== current)
  }
}

/** After a restart of the daemon: completes an interrupted rotation, and watches the log again. */
export function resumeRotation(context: Uses<'live' | 'runtime' | 'logger' | 'paths'>, record: ContainerRecord): void {
  const isLogged = record.hostConfig.LogConfig?.Type !== 'none'
  if (isLogged && !existsSync(context.paths.log(record.id))) context.runtime.get(record.id).reopenLog()
  watchLogSize(context, record)
}
