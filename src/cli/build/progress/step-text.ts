/** Texts that several displays use. */

import { humanSize } from '../../format/units.ts'
import type { BuildStep, LogLine } from './build-steps.ts'
import type { BuildVertexStatus } from './solve-status.ts'

/** The seconds since the step began, in five characters: `0.123`, `12.35`, `1235.`. */
export function formatLogTime(seconds: number): string {
  const text = seconds.toPrecision(4)
  return (text.includes('.') ? text : `${text}.`).padEnd(5, '0').slice(0, 5)
}

/** A line of a step's output with its time: `0.123 text`. */
export function formatLogLine({ seconds, text }: LogLine): string {
  return `${formatLogTime(seconds)} ${text}`
}

/** An amount: `1.2MB / 3.4MB`. Empty when there is none. */
export function formatAmount({ current, total = 0 }: BuildVertexStatus): string {
  if (total > 0) return `${humanSize(current)} / ${humanSize(total)}`
  return current > 0 ? humanSize(current) : ''
}

/** An activity and its amount: `transferring context: 2.5kB`, `sha256:… 1.2MB / 3.4MB`. */
export function formatStatus(status: BuildVertexStatus): string {
  const amount = formatAmount(status)
  const title = status.name === undefined || status.name === '' ? status.id : status.name
  return amount === '' ? title : `${title} ${amount}`
}

/** A time in seconds: `3.2s`. */
export function formatSeconds(ms: number): string {
  return `${(Math.max(0, ms) / 1000).toFixed(1)}s`
}

/** True when the step was canceled. The displays then do not show an error. */
export function isCancelled({ error }: BuildStep): boolean {
  return error !== undefined && /context canceled|cancelled/.test(error)
}

/** The logs of the failed steps, between rulers. */
export function failureLogs(steps: readonly BuildStep[]): string {
  return steps
    .filter((step) => step.error !== undefined && !isCancelled(step))
    .map(({ name, lines }) => {
      const shown = lines.slice(-shownFailureLines)
      return `------\n > ${name}:\n${shown.map((line) => `${formatLogLine(line)}\n`).join('')}------\n`
    })
    .join('')
}

const shownFailureLines = 20
