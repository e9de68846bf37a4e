export { rotateLog } from './log-files.ts'
export { type ReadLogsEnd, type ReadLogsOptions, readLogs } from './read-logs.ts'
