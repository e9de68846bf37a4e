import type { Command } from '../../command/command.ts'
import { alignColumns } from '../../format/table.ts'

export const command: Command = {
  usage: 'CONTAINER [ps OPTIONS]',
  operands: { min: 1 },
  flags: [],
  interspersed: false,
  async run({ client, output }, _flags, [container = '', ...psArguments]) {
    const { Titles, Processes } = await client.containerIo.top(container, psArguments)
    const lines = [Titles, ...Processes].map((cells) => `${cells.join('\t')}\n`)
    output.write(alignColumns(lines.join(''), { minWidth: 20, padding: 3 }))
    return 0
  },
}
