import { messageOf, notFound } from '../../base/index.ts'
import { CliError } from '../command/cli-error.ts'
import type { CliContext, Command } from '../command/command.ts'
import { setCurrentContext, storeOf } from './contexts.ts'

export const command: Command = {
  usage: 'CONTEXT [CONTEXT...]',
  operands: { min: 1 },
  flags: [{ name: 'force', short: 'f', type: 'bool', help: 'Remove a context even if it is in use' }],
  async run(context, flags, names) {
    const failures: string[] = []
    for (const name of names) {
      try {
        remove(context, name, flags.bool('force'))
      } catch (error) {
        failures.push(messageOf(error))
        continue
      }
      context.output.write(`${name}\n`)
    }
    if (failures.length > 0) throw new CliError(1, failures.join('\n'))
    return 0
  },
}

function remove({ settings }: CliContext, name: string, force: boolean): void {
  if (name === 'default') throw new CliError(1, 'context "default" cannot be removed')
  const store = storeOf(settings)
  if (!force && !store.has(name)) throw notFound(`context "${name}" does not exist`)
  if (settings.contextName() === name) {
    if (!force) throw new CliError(1, `context "${name}" is in use, set -f flag to force remove`)
    setCurrentContext(settings, 'default')
  }
  store.remove(name)
}
