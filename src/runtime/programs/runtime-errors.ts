/** Turns messages of OCI runtimes into typed errors; nothing else interprets those messages.
 *  The docker CLI chooses its exit code (127, 126, 125) by phrases in the daemon's answer, so they are kept:
 *  `executable file not found`, `no such file or directory`, `permission denied`, `is a directory`. */
import { BerthError, internal, invalidArgument, isBerthError } from '../../base/index.ts'

/** The operation in which the runtime failed. */
export interface FailedWork {
  readonly work: 'create' | 'start' | 'exec'
  /** The program that should have run. */
  readonly command: string
}

/** Exit codes that Docker gives a container or exec that could not be started. */
export type StartFailureCode = 126 | 127

const prefixes = {
  create:
    'failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: ',
  start: 'OCI runtime start failed: ',
  exec: 'OCI runtime exec failed: exec failed: unable to start container process: ',
} as const

/** The error for a runtime's message. `details.exitCode` is the exit code of the container or exec, if the message
 *  implies one. */
export function runtimeError(text: string, { work, command }: FailedWork): BerthError {
  const cause = new Error(text.trim())
  const fail = (exitCode: StartFailureCode, reason: string) => {
    const during = work === 'create' ? 'error during container init: ' : ''
    const message = `${prefixes[work]}${during}exec: ${JSON.stringify(command)}: ${reason}: unknown`
    return invalidArgument(message, { cause, details: { exitCode } })
  }
  const [, directory] = /chdir `?([^`':]+)[`']?: No such file or directory/i.exec(text) ?? []
  if (directory !== undefined) {
    const message = `${prefixes[work]}chdir to cwd (${JSON.stringify(directory)}) set in config.json failed: no such file or directory: unknown`
    return invalidArgument(message, { cause, details: { exitCode: 127 } })
  }
  if (isNotFound(text)) {
    return command.includes('/')
      ? fail(127, `stat ${command}: no such file or directory`)
      : fail(127, 'executable file not found in $PATH')
  }
  if (/open executable: Permission denied|exec: .*permission denied/i.test(text)) return fail(126, 'permission denied')
  // crun reports EPERM for anything that is not a regular file.
  if (/open executable: Operation not permitted|exec: .*is a directory/i.test(text)) {
    return command === '' ? fail(127, 'executable file not found in $PATH') : fail(126, 'is a directory')
  }
  if (work === 'exec' && /container .*(not running|does not exist)|setns\(.*No such process/i.test(text)) {
    return new BerthError('conflict', 'container is not running', { cause, details: { exitCode: 126 } })
  }
  return internal(`${prefixes[work]}${firstLines(text)}: unknown`, { cause })
}

function isNotFound(text: string): boolean {
  return /executable file .*not found in \$PATH|exec: .*(executable file not found|no such file or directory)/i.test(
    text,
  )
}

/** Joins up to four lines of a runtime's message into one. */
function firstLines(text: string): string {
  return text
    .trim()
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .slice(0, 4)
    .join(': ')
}

/** The exit code of a container or exec that `error` kept from starting; undefined when the error implies none. */
export function exitCodeOf(error: unknown): number | undefined {
  if (!isBerthError(error)) return undefined
  const { exitCode } = error.details
  return typeof exitCode === 'number' ? exitCode : undefined
}
