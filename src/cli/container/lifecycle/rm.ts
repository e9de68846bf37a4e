import { isKind } from '../../../base/index.ts'
import type { Command } from '../../command/command.ts'
import { eachOperand } from '../../command/each-operand.ts'

export const command: Command = {
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  operands: { min: 1 },
  flags: [
    { name: 'force', short: 'f', type: 'bool', help: 'Kill a running container first' },
    { name: 'link', short: 'l', type: 'bool', help: 'Remove a link, not the container' },
    { name: 'volumes', short: 'v', type: 'bool', help: "Also remove the container's anonymous volumes" },
  ],
  async run(context, flags, operands) {
    const options = { force: flags.bool('force'), link: flags.bool('link'), volumes: flags.bool('volumes') }
    await eachOperand(context, operands, async (operand) => {
      const name = operand.replace(/^\/+/, '')
      try {
        await context.client.containers.remove(name, options)
      } catch (error) {
        if (!options.force || !isKind(error, 'notFound')) throw error
        // With --force, a missing container is no failure, but the message is printed.
        context.errors.write(`${error.message}\n`)
        return ''
      }
      return operand
    })
    return 0
  },
}
