import type { Command } from '../../command/command.ts'

const kinds = ['C', 'A', 'D'] as const

export const command: Command = {
  usage: 'CONTAINER',
  operands: { min: 1, max: 1 },
  flags: [],
  async run({ client, output }, _, [container = '']) {
    const changes = await client.containerFiles.changes(container)
    output.write(changes.map(({ Path, Kind }) => `${kinds[Kind]} ${Path}\n`).join(''))
    return 0
  },
}
