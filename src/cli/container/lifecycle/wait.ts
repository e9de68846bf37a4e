import type { Command } from '../../command/command.ts'
import { eachOperand } from '../../command/each-operand.ts'

export const command: Command = {
  usage: 'CONTAINER [CONTAINER...]',
  operands: { min: 1 },
  flags: [],
  async run(context, _flags, operands) {
    await eachOperand(context, operands, async (name) => {
      const { result } = await context.client.containerLifecycle.wait(name)
      return String((await result).StatusCode)
    })
    return 0
  },
}
