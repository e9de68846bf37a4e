/** Chooses the display of a build. */

import { CliError } from '../../command/cli-error.ts'
import type { CliContext } from '../../command/command.ts'
import type { FlagValues } from '../../flags/flag-values.ts'
import type { BuildDisplay } from './build-display.ts'
import { PlainDisplay } from './plain-display.ts'
import { QuietDisplay } from './quiet-display.ts'
import { RawDisplay } from './raw-display.ts'
import { defaultLogLines, TerminalDisplay } from './terminal-display.ts'

const redrawMs = 100

/** Chooses by `--progress`, `--quiet`, `BUILDKIT_PROGRESS`, and whether the output is a terminal. */
export function openDisplay(
  { errors, settings }: Pick<CliContext, 'errors' | 'settings'>,
  flags: FlagValues,
): BuildDisplay {
  const { environment } = settings
  const mode = flags.string('progress') || environment.BUILDKIT_PROGRESS || 'auto'
  if (flags.bool('quiet')) {
    if (flags.has('progress') && mode !== 'quiet' && mode !== 'auto') {
      throw new CliError(1, `ERROR: progress=${mode} and quiet cannot be used together`)
    }
    return new QuietDisplay(errors)
  }
  if (mode === 'quiet' || mode === 'none') return new QuietDisplay(errors)
  if (mode === 'rawjson') return new RawDisplay(errors)
  if (mode === 'tty' && !errors.isTerminal)
    throw new CliError(1, 'ERROR: failed to get console: provided file is not a console')
  if (mode === 'plain' || !errors.isTerminal) return new PlainDisplay(errors)
  return new TerminalDisplay(errors, {
    redrawMs,
    logLines: Number(environment.BUILDKIT_TTY_LOG_LINES) || defaultLogLines,
    // https://no-color.org
    isColored: (environment.NO_COLOR ?? '') === '',
  })
}
