import { invalidArgument, messageOf } from '../../../base/index.ts'
import type { Command } from '../../command/command.ts'

export const command: Command = {
  usage: 'CONTAINER NEW_NAME',
  operands: { min: 2, max: 2 },
  flags: [],
  async run({ client }, _flags, [container = '', name = '']) {
    if (container.trim() === '' || name.trim() === '')
      throw invalidArgument('Error: Neither old nor new names may be empty')
    try {
      await client.containers.rename(container.trim(), name.trim())
    } catch (error) {
      throw invalidArgument(`${messageOf(error)}\nError: failed to rename container named ${container.trim()}`, {
        cause: error,
      })
    }
    return 0
  },
}
