import process from 'node:process'
import type { Logger } from '../base/index.ts'

/** Ends the program with exit code 1 on an error that nothing caught, an unhandled rejection included, after a line in
 *  the log with the error's name and stack. (Node would write the error to stderr, outside the log.) Nothing is closed,
 *  because the state of the program is unknown. This equals a crash: containers keep running, the service manager starts
 *  the daemon again, and that daemon adopts them. */
export function exitOnUncaughtErrors(logger: Logger): void {
  process.on('uncaughtException', (error: unknown, origin) => {
    const name = error instanceof Error ? error.name : typeof error
    logger.error('berthd ends: an error was not caught', { origin, name, error })
    process.exit(1)
  })
}
