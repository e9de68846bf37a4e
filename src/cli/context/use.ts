import { invalidArgument } from '../../base/index.ts'
import { defaultContextName } from '../../config/client/index.ts'
import type { Command } from '../command/command.ts'
import { findContext, setCurrentContext } from './contexts.ts'

export const command: Command = {
  usage: 'CONTEXT',
  operands: { min: 0 },
  flags: [],
  async run({ settings, output, errors }, _flags, operands) {
    const [name = ''] = operands
    if (operands.length !== 1) throw invalidArgument(`accepts 1 arg(s), received ${operands.length}`)
    findContext(settings, name)
    setCurrentContext(settings, name)
    output.write(`${name}\n`)
    errors.write(`Current context is now "${name}"\n`)
    if (name !== defaultContextName && (settings.environment.DOCKER_HOST ?? '') !== '') {
      errors.write(
        `Warning: DOCKER_HOST environment variable overrides the active context. To use "${name}", either set the global --context flag, or unset DOCKER_HOST environment variable.\n`,
      )
    }
    return 0
  },
}
