import process from 'node:process'
import type { Logger } from '../base/index.ts'

/** Ends the program with exit code 1 on an error that nothing caught, an unhandled rejection included, after a line in
 *  the log with the error's name and stack; Node itself writes such errors beside the log, in a form of its own.
 *  Nothing is closed first: the state of the program is unknown. It is the same as after a crash: containers run on, the
 *  service manager starts the daemon again, and the next daemon adopts them. */
export function exitOnUncaughtErrors(logger: Logger): void {
  process.on('uncaughtException', (error: unknown, origin) => {
    const name = error instanceof Error ? error.name : typeof error
    logger.error('berthd ends: an error was not caught', { origin, name, error })
    process.exit(1)
  })
}
