/** Keeps logs within `max-size` and `max-file`: while a container runs, its log's size is looked at twice a second.
 *  Killed between the renaming and the reopening: conmon writes on in the renamed file until `resumeRotation`. */
import { existsSync, statSync } from 'node:fs'
import { isKind, messageOf } from '../base/index.ts'
import { rotateLog } from '../logs/index.ts'
import type { ContainerRecord } from './container-record.ts'
import type { ContainerContext } from './dependencies.ts'
import { parseLogOptions } from './log-options.ts'

const intervalMs = 500

/** Begins to watch the log of a container that runs, until that run ends. No limit: nothing is done. */
export function watchLogSize(context: ContainerContext, { id, hostConfig }: ContainerRecord): void {
  const limits = parseLogOptions(hostConfig.LogConfig ?? {})
  if (limits === undefined || hostConfig.LogConfig?.Type === 'none') return
  const path = context.paths.log(id)
  const timer = setInterval(() => {
    try {
      if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) < limits.maxSizeBytes) return
      rotateLog(path, { maxFiles: limits.maxFiles, reopen: () => context.runtime.reopenLog(id) })
    } catch (error) {
      // The container has just ended: nobody writes any more.
      if (isKind(error, 'conflict')) return
      context.logger.warn('log was not rotated', { container: id, error: messageOf(error) })
    }
  }, intervalMs).unref()
  void context.live.of(id).ended.then(() => clearInterval(timer))
}

/** After a restart of the daemon: ends a rotation that it was killed in, and goes on watching. */
export function resumeRotation(context: ContainerContext, record: ContainerRecord): void {
  const isLogged = record.hostConfig.LogConfig?.Type !== 'none'
  if (isLogged && !existsSync(context.paths.log(record.id))) context.runtime.reopenLog(record.id)
  watchLogSize(context, record)
}
