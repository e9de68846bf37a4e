import type { Command } from '../command/command.ts'
import { inspectObjects } from '../command/inspect-objects.ts'
import { formatFlag } from '../command/list-flags.ts'
import { sortedVolume } from './sorted-volume.ts'

export const command: Command = {
  usage: '[OPTIONS] VOLUME [VOLUME...]',
  operands: { min: 1 },
  flags: [formatFlag],
  async run({ client, output }, flags, names) {
    await inspectObjects(
      output,
      names,
      flags.string('format'),
      async (name) => sortedVolume((await client.volumes.inspect(name)).value),
      { typeName: 'volume.Volume' },
    )
    return 0
  },
}
