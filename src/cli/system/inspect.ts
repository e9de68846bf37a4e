import { isKind } from '../../base/index.ts'
import { CliError } from '../command/cli-error.ts'
import type { CliContext, Command } from '../command/command.ts'
import { inspectObjects } from '../command/inspect-objects.ts'
import { formatFlag } from '../command/list-flags.ts'

interface Finder {
  find(client: CliContext['client'], name: string, size: boolean): Promise<string>
  /** True for kinds without a `--size`. */
  readonly ignoresSize?: boolean
}

const ofPath = (path: string): Finder => ({
  find: async (client, name) => (await client.system.raw(`/${path.replace('NAME', encodeURIComponent(name))}`)).text,
  ignoresSize: true,
})

/** The kinds in the order in which a name is searched for. */
const finders: Readonly<Record<string, Finder>> = {
  container: { find: async (client, name, size) => (await client.containers.inspect(name, { size })).text },
  image: { find: async (client, name) => (await client.images.inspect(name)).text, ignoresSize: true },
  network: { find: async (client, name) => (await client.networks.inspect(name)).text, ignoresSize: true },
  volume: { find: async (client, name) => (await client.volumes.inspect(name)).text, ignoresSize: true },
}

/** Kinds that are searched only with `--type`. The daemon reports that it does not have them. */
const others: Readonly<Record<string, Finder>> = {
  config: ofPath('configs/NAME'),
  node: ofPath('nodes/NAME'),
  plugin: ofPath('plugins/NAME/json'),
  secret: ofPath('secrets/NAME'),
  service: ofPath('services/NAME'),
  task: ofPath('tasks/NAME'),
}

export const command: Command = {
  usage: '[OPTIONS] NAME|ID [NAME|ID...]',
  operands: { min: 1 },
  flags: [
    formatFlag,
    { name: 'size', short: 's', type: 'bool', help: 'Sizes on disk, for containers' },
    { name: 'type', type: 'string', help: 'Search only for this kind of object' },
  ],
  async run({ client, output, errors }, flags, names) {
    const size = flags.bool('size')
    const only = flags.has('type') ? finderFor(flags.string('type')) : undefined
    const candidates = only === undefined ? Object.entries(finders) : [only]
    const find = async (name: string): Promise<string> => {
      const { type, text, ignoresSize } = await findAny(client, candidates, name, size)
      if (size && ignoresSize) errors.write(`WARNING: --size ignored for ${type}\n`)
      return text
    }
    await inspectObjects(output, names, flags.string('format'), find)
    return 0
  },
}

function finderFor(type: string): readonly [string, Finder] {
  const all = { ...finders, ...others }
  const finder = Object.hasOwn(all, type) ? all[type as keyof typeof all] : undefined
  if (finder !== undefined) return [type, finder]
  const known = Object.keys(all)
    .toSorted()
    .map((name) => JSON.stringify(name))
  const what = type === '' ? 'type is empty' : `unknown type: ${JSON.stringify(type)}`
  throw new CliError(1, `${what}: must be one of ${known.join(', ')}`)
}

async function findAny(
  client: CliContext['client'],
  candidates: readonly (readonly [string, Finder])[],
  name: string,
  size: boolean,
): Promise<{ readonly type: string; readonly text: string; readonly ignoresSize: boolean }> {
  for (const [type, { find, ignoresSize = false }] of candidates) {
    try {
      return { type, text: await find(client, name, size), ignoresSize }
    } catch (error) {
      if (candidates.length === 1) throw error
      // An object of another kind may have this name, even if the name is not valid for this kind.
      if (!isKind(error, 'notFound') && !isKind(error, 'invalidArgument') && !isKind(error, 'notImplemented'))
        throw error
    }
  }
  throw new CliError(1, `Error: No such object: ${name}`)
}
