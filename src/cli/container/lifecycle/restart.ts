import type { Command } from '../../command/command.ts'
import { eachOperand } from '../../command/each-operand.ts'
import { stopBehaviour, stopFlags } from './stop-flags.ts'

export const command: Command = {
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  operands: { min: 1 },
  flags: stopFlags,
  async run(context, flags, operands) {
    const behaviour = stopBehaviour(flags)
    await eachOperand(context, operands, (name) => context.client.containerLifecycle.restart(name, behaviour))
    return 0
  },
}
