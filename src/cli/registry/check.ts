/** `berth registry check`: reads a configuration and the files that it names. Does not touch the storage. */
import type { Command } from '../command/command.ts'
import { RegistryAccess } from './registry-access.ts'
import { configFlag, registryConfigOf } from './registry-flags.ts'
import { registryLogger } from './registry-logger.ts'
import { loadRegistryTls } from './registry-tls.ts'

export const command: Command = {
  usage: '[OPTIONS]',
  operands: { min: 0, max: 0 },
  flags: [configFlag],
  async run({ output, errors }, flags) {
    const config = registryConfigOf(flags)
    if (config.tls !== undefined) loadRegistryTls(config.tls)
    const logger = registryLogger({ level: 'warn', format: 'text' }, (line) => errors.write(line))
    await using _access = await RegistryAccess.open(config, { objects: nothingStored, logger })
    output.write('configuration OK\n')
    return 0
  },
}

/** A storage that is always empty. */
const nothingStored = {
  stat: async () => undefined,
  read: async () => undefined,
  open: () => Promise.reject(new Error('nothing is stored')),
  write: async () => true,
  list: async () => ({ objects: [], next: undefined }),
  delete: async () => {},
}
