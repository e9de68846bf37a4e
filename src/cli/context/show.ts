import type { Command } from '../command/command.ts'

export const command: Command = {
  usage: '',
  operands: { min: 0, max: 0 },
  flags: [],
  async run({ settings, output }) {
    output.write(`${settings.contextName()}\n`)
    return 0
  },
}
