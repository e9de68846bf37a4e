/** Completion by plugins of docker's command line. As docker does, it calls the plugin with `__complete`
 *  (https://github.com/spf13/cobra/blob/main/site/content/completions/_index.md). */
import type { CliContext } from '../command/command.ts'
import { findCliPlugin, listCliPlugins } from '../plugins/cli-plugins.ts'
import type { Candidate, Completion } from './candidate.ts'

/** Bits of the number in the last line of the plugin's answer. */
const directive = { failed: 1, noFiles: 4 } as const
const none: Completion = { candidates: [], withFiles: false }

/** The names of the plugins, which are commands. */
export function pluginNames({ settings }: Pick<CliContext, 'settings'>): readonly Candidate[] {
  return listCliPlugins(settings).map(({ name }) => ({ value: name, description: 'A plugin' }))
}

/** Asks the plugin that the first operand names. Gives nothing when there is no such plugin. */
export async function completePlugin(
  { settings, runProgram }: Pick<CliContext, 'settings' | 'runProgram'>,
  operands: readonly string[],
  word: string,
): Promise<Completion> {
  const plugin = findCliPlugin(settings, operands[0] ?? '')
  if (plugin === undefined) return none
  try {
    const { stdout } = await runProgram(plugin.path, ['__complete', ...operands, word], '')
    const lines = stdout.trimEnd().split('\n')
    const last = Number(/^:(\d+)$/.exec(lines.pop() ?? '')?.[1] ?? directive.failed)
    if ((last & directive.failed) !== 0) return none
    const candidates = lines.map((line) => {
      const [value = '', description] = line.split('\t')
      return description === undefined ? { value } : { value, description }
    })
    return { candidates, withFiles: (last & directive.noFiles) === 0 }
  } catch {
    return none
  }
}
