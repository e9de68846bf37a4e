export { closeFd, duplicateFd, makePipe, oCloexec, oPath, openFd, readFd, setNonBlocking, writeFd } from './fd.ts'
export { FdReader, type FdReaderHandlers } from './fd-reader.ts'
export { FdWriter, type FdWriterHandlers } from './fd-writer.ts'
export {
  errno,
  loadKoffi,
  type NativeValue,
  nativeFunction,
  rawSyscall,
  type SystemError,
  syscall,
  systemError,
} from './ffi.ts'
export { onPidfdExit, pidfdOpen, pidfdSendSignal } from './pidfd.ts'
export { FdPoll, type PollEvents, type PollOptions } from './poll.ts'
export { defaultEnv, type SpawnOptions } from './posix-spawn.ts'
export { type CommandResult, type RunCommandOptions, runCommand } from './run-command.ts'
export { type ExitStatus, type SpawnedProcess, spawnProcess } from './spawn.ts'
