/** How a container or exec ended. */
import { readFileSync, statSync } from 'node:fs'
import { errnoOf } from '../../base/index.ts'
import { hasOomFile } from './oom-watch.ts'

/** The end of a container or exec. */
export interface ExitInfo {
  /** The first process's exit code, 0 to 255; 128 + n when signal n killed it. */
  readonly exitCode: number
  readonly finishedAt: Date
  /** The kernel killed one of its processes because memory ran out. */
  readonly oomKilled: boolean
  /** True when no monitor recorded the end: the monitor was killed, or the machine went down. */
  readonly unknown?: boolean
}

/** The end that conmon's exit file records; undefined while there is no such file. conmon renames the file into place,
 *  so its content is always complete. */
export function readExitFile(path: string, oomPath: string): ExitInfo | undefined {
  try {
    const code = Number.parseInt(readFileSync(path, 'utf8'), 10)
    const { mtime } = statSync(path)
    return { exitCode: Number.isNaN(code) ? 255 : code & 0xff, finishedAt: mtime, oomKilled: hasOomFile(oomPath) }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** The end of a container whose monitor left no exit file. `exitCode` is 255 unless the caller knows better. */
export function unknownExit(exitCode = 255): ExitInfo {
  return { exitCode, finishedAt: new Date(), oomKilled: false, unknown: true }
}
