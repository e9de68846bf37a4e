import type { Volume } from '../../api/index.ts'
import type { Command } from '../command/command.ts'
import { inspectObjects } from '../command/inspect-objects.ts'
import { formatFlag } from '../command/list-flags.ts'

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

/** A volume as JSON, with its keys sorted as in Docker's CLI. */
function sortedVolume(volume: Volume): string {
  return JSON.stringify(sortKeys(volume))
}

function sortKeys(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([left], [right]) => (left < right ? -1 : 1))
      .map(([name, item]) => [name, sortKeys(item)]),
  )
}
