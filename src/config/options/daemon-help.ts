import type { DaemonOption } from './daemon-option.ts'
import { daemonOptions } from './daemon-options.ts'

/** Gives the text of `berthd --help`. */
export function daemonHelp(): string {
  const rows = Object.values(daemonOptions as Record<string, DaemonOption>)
    .filter((option) => option.flag !== undefined)
    .map((option) => {
      const short = option.short === undefined ? '    ' : `-${option.short}, `
      const value = option.kind === 'boolean' ? '' : option.kind === 'number' ? ' int' : ` ${option.kind}`
      return [`  ${short}--${option.flag}${value}`, option.help] as const
    })
  const width = Math.max(...rows.map(([left]) => left.length)) + 3
  const lines = rows.map(([left, help]) => `${left.padEnd(width)}${help}`)
  return `Usage:  berthd [OPTIONS]\n\nA Docker-compatible container engine.\n\nOptions:\n${lines.join('\n')}\n      --help\n  -v, --version\n`
}
