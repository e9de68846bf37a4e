import { isKind } from '../../base/index.ts'
import { CliError } from '../cli-error.ts'
import type { CliContext, Command } from '../command.ts'
import { inspectObjects } from '../inspect-objects.ts'
import { formatFlag } from '../list-flags.ts'
import { sortedVolume } from '../volume/sorted-volume.ts'

type Finder = (client: CliContext['client'], name: string, size: boolean) => Promise<string>

/** In the order in which a name is looked for. */
const finders: Readonly<Record<string, Finder>> = {
  container: async (client, name, size) => (await client.containers.inspect(name, { size })).text,
  image: async (client, name) => (await client.images.inspect(name)).text,
  network: async (client, name) => (await client.networks.inspect(name)).text,
  volume: async (client, name) => sortedVolume((await client.volumes.inspect(name)).value),
}

export const command: Command = {
  usage: '[OPTIONS] NAME|ID [NAME|ID...]',
  operands: { min: 1 },
  flags: [
    formatFlag,
    { name: 'size', short: 's', type: 'bool', help: 'Sizes on disk, for containers' },
    { name: 'type', type: 'string', help: 'Look only for this kind of object' },
  ],
  async run({ client, output }, flags, names) {
    const type = flags.string('type')
    const size = flags.bool('size')
    if (flags.has('type') && !Object.hasOwn(finders, type)) {
      const known = Object.keys(finders).map((name) => JSON.stringify(name))
      throw new CliError(1, `unknown type: ${JSON.stringify(type)}: must be one of ${known.join(', ')}`)
    }
    const only = finders[type]
    const find = (name: string): Promise<string> =>
      only === undefined ? findAny(client, name, size) : only(client, name, size)
    await inspectObjects(output, names, flags.string('format'), find)
    return 0
  },
}

async function findAny(client: CliContext['client'], name: string, size: boolean): Promise<string> {
  for (const find of Object.values(finders)) {
    try {
      return await find(client, name, size)
    } catch (error) {
      // Another kind of object may have this name, also where it is no valid one for this kind.
      if (!isKind(error, 'notFound') && !isKind(error, 'invalidArgument') && !isKind(error, 'notImplemented'))
        throw error
    }
  }
  throw new CliError(1, `Error: No such object: ${name}`)
}
