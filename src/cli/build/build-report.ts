/** Texts for the end of a build: warnings, explanations, the error with its lines. */
import type { BuildErrorEvent, BuildExplainEvent, BuildWarningEvent } from '../../api/index.ts'

/** The summary of warnings after a build, one line each. */
export function warningSummary(warnings: readonly BuildWarningEvent[]): string {
  if (warnings.length === 0) return ''
  const found = warnings.length === 1 ? '1 warning found' : `${warnings.length} warnings found`
  const lines = warnings.map(({ rule, message, line }) => {
    const where = line === undefined ? '' : ` (line ${line})`
    return ` - ${rule === undefined ? '' : `${rule}: `}${message}${where}\n`
  })
  return `\n ${found} (use --check to see the lines):\n${lines.join('')}`
}

/** The output of `--check`. */
export function checkReport(warnings: readonly BuildWarningEvent[]): string {
  if (warnings.length === 0) return 'Check complete, no warnings found.\n'
  const found = warnings.length === 1 ? '1 warning has been found!' : `${warnings.length} warnings have been found!`
  return `Check complete, ${found}\n${warnings.map(describeWarning).join('')}`
}

function describeWarning({ rule, message, description, url, file, line, excerpt }: BuildWarningEvent): string {
  const title = `WARNING: ${rule ?? message}${url === undefined ? '' : ` - ${url}`}`
  const place = file === undefined ? '' : `\n${file}${line === undefined ? '' : `:${line}`}`
  const lines = excerpt === undefined ? '' : `\n${excerpt}`
  const why = description === undefined || rule === undefined ? '' : `\n${description}`
  return `\n${title}${why}\n${message}${place}${lines}\n`
}

/** The output of `--explain`. */
export function explainReport(explanations: readonly BuildExplainEvent[]): string {
  if (explanations.length === 0) return '\nEvery step was in the cache.\n'
  const parts = explanations.map(({ step, reasons }) => {
    return ` ${step}\n${reasons.map(({ text }) => `   - ${text}\n`).join('')}`
  })
  return `\nBuilt because not in the cache:\n${parts.join('')}`
}

/** An error, with the lines of the Dockerfile that caused it. */
export function describeError({ message, file, line, excerpt, kind }: BuildErrorEvent): string {
  if (kind === 'cancelled') return 'ERROR: failed to build: failed to solve: Canceled: context canceled'
  const place = file === undefined || excerpt === undefined ? '' : `${file}${line === undefined ? '' : `:${line}`}\n`
  const lines = excerpt === undefined ? '' : `${excerpt}\n`
  return `${place}${lines}ERROR: failed to build: failed to solve: ${message}`
}
