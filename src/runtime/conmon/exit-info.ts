/** How a container or exec ended. */
import { readFileSync, statSync } from 'node:fs'
import { errnoOf } from '../../base/index.ts'
import { hasOomFile } from './oom-watch.ts'

export interface ExitInfo {
  /** 128 + n when signal n killed it. */
  readonly exitCode: number
  readonly finishedAt: Date
  /** The kernel killed something in it for lack of memory. */
  readonly oomKilled: boolean
  /** True when nobody saw the end (the monitor was killed, the machine went down). */
  readonly unknown?: boolean
}

/** What conmon's exit file says, or undefined while there is none. conmon renames it into place, so it is whole. */
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

/** The end of a container whose monitor left no word. `exitCode`: 255, unless it is known what ended it. */
export function unknownExit(exitCode = 255): ExitInfo {
  return { exitCode, finishedAt: new Date(), oomKilled: false, unknown: true }
}
