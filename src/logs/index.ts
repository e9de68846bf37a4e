export { logAttributes } from './drivers/log-attributes.ts'
export type { LogDriver, LogInfo } from './drivers/log-driver.ts'
export { logTag } from './drivers/log-tag.ts'
export { LogForwarder } from './forward-logs.ts'
export { type LocalLogLimits, localLogLimits } from './local-log-limits.ts'
export {
  bufferLimit,
  checkLogConfig,
  connectsLater,
  isForwarded,
  isReadable,
  logDriverNames,
  openLogDriver,
  readAheadLimit,
  retryPace,
} from './log-config.ts'
export { packOldLogs, rotateLog } from './log-files.ts'
export { PositionFile } from './log-position.ts'
export { type ReadLogsEnd, type ReadLogsOptions, readLogs } from './read-logs.ts'
