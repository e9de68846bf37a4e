import type { Command } from '../../command/command.ts'
import { eachOperand } from '../../command/each-operand.ts'

export const command: Command = {
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  operands: { min: 1 },
  flags: [{ name: 'signal', short: 's', type: 'string', help: 'Signal to send' }],
  async run(context, flags, operands) {
    await eachOperand(context, operands, (name) => context.client.containerLifecycle.kill(name, flags.string('signal')))
    return 0
  },
}
