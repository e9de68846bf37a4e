import { CliError } from '../command/cli-error.ts'
import type { Command } from '../command/command.ts'
import { completionScripts } from './completion-scripts.ts'

export const command: Command = {
  usage: 'bash|fish|powershell|zsh',
  operands: { min: 1, max: 1 },
  flags: [],
  async run({ output }, _flags, [shell = '']) {
    const script = Object.hasOwn(completionScripts, shell) ? completionScripts[shell] : undefined
    if (script === undefined) {
      throw new CliError(
        1,
        `unknown shell: ${JSON.stringify(shell)}: must be one of ${Object.keys(completionScripts).join(', ')}`,
      )
    }
    output.write(script)
    return 0
  },
}
