/** Flags of the registry's commands, and the configuration that they select. */
import {
  defaultRegistryConfig,
  loadRegistryConfig,
  parseRegistryAddress,
  type RegistryConfig,
} from '../../config/registry/index.ts'
import type { Flag } from '../flags/flag.ts'
import type { FlagValues } from '../flags/flag-values.ts'

/** The storage of a registry without a configuration file. */
const defaultFolder = './registry-data'

/** `--config`. */
export const configFlag: Flag = { name: 'config', type: 'string', help: 'Configuration file (registry.yml)' }

/** `--storage`. */
export const storageFlag: Flag = {
  name: 'storage',
  type: 'string',
  help: `Folder with all data (default "${defaultFolder}")`,
}

/** `--listen`. */
export const listenFlag: Flag = {
  name: 'listen',
  type: 'list',
  help: 'Address to listen on (default 127.0.0.1:5000)',
}

/** The file's configuration, overridden by flags. Throws `invalidArgument` with the wrong setting. */
export function registryConfigOf(flags: FlagValues): RegistryConfig {
  const file = flags.string('config')
  const storage = flags.string('storage')
  const config = file === '' ? defaultRegistryConfig(storage || defaultFolder) : loadRegistryConfig(file)
  const listen = flags.list('listen')
  return {
    ...config,
    ...(storage === '' ? {} : { storage: defaultRegistryConfig(storage).storage }),
    ...(listen.length === 0 ? {} : { listen: listen.map((address) => parseRegistryAddress(address, '--listen')) }),
  }
}
