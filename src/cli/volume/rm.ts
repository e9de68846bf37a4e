import type { Command } from '../command/command.ts'
import { eachOperand } from '../command/each-operand.ts'

export const command: Command = {
  usage: '[OPTIONS] VOLUME [VOLUME...]',
  operands: { min: 1 },
  flags: [{ name: 'force', short: 'f', type: 'bool', help: 'Do not fail for volumes that do not exist' }],
  async run(context, flags, operands) {
    const options = { force: flags.bool('force') }
    await eachOperand(context, operands, (name) => context.client.volumes.remove(name, options))
    return 0
  },
}
