/** Commands that are plugins of docker's command line. */
import { messageOf } from '../../base/index.ts'
import type { ClientSettings } from '../../config/client/index.ts'
import { CliError } from '../command/cli-error.ts'
import { settingsOf } from '../command/create-context.ts'
import type { MainOptions } from '../command/main-options.ts'
import type { FlagValues } from '../flags/flag-values.ts'
import type { ParsedArguments } from '../flags/parse-flags.ts'
import { type CliPlugin, describeCliPlugin, findCliPlugin, listCliPlugins } from './cli-plugins.ts'

/** The arguments before the command: parsed, and unchanged. */
export interface GlobalArguments extends ParsedArguments {
  readonly before: readonly string[]
}

/** Finds the plugin for a command with its arguments. Gives a function that runs it and resolves with its exit code;
 *  undefined when there is no such plugin. `builder` may be an alias of one (`aliases` of config.json; docker allows no
 *  other alias). */
export async function pluginFor(
  { flags, before }: GlobalArguments,
  [command = '', ...rest]: readonly string[],
  options: MainOptions,
): Promise<(() => Promise<number>) | undefined> {
  const { runPlugin } = options
  if (runPlugin === undefined) return undefined
  const settings = settingsOf(flags, options)
  const alias = command === 'builder' ? settings.file().aliases?.builder : undefined
  const operands = [...(alias?.split(/\s+/) ?? [command]), ...rest]
  const plugin = findCliPlugin(settings, operands[0] ?? '')
  if (plugin === undefined) return undefined
  const environment = environmentOf(settings, flags)
  return async () => {
    try {
      return await runPlugin(plugin.path, [...before, ...operands], environment)
    } catch (cause) {
      throw new CliError(1, `berth ${plugin.name}: ${plugin.path}: ${messageOf(cause)}`, { cause })
    }
  }
}

/** The plugin's environment. Without it, a plugin would use docker's socket instead of Berth's. Flags are passed on
 *  unchanged. */
function environmentOf(settings: ClientSettings, flags: FlagValues): Readonly<Record<string, string | undefined>> {
  const isFlag = flags.has('host') || flags.has('context')
  return {
    ...settings.environment,
    DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND: 'berth',
    ...(isFlag || settings.contextName() !== 'default' ? {} : { DOCKER_HOST: settings.daemon().host }),
  }
}

/** The plugins whose names are not commands of Berth, as docker lists them: with a star. */
export async function pluginSummaries(
  flags: FlagValues,
  options: MainOptions,
  isOwn: (name: string) => boolean,
): Promise<Readonly<Record<string, { readonly summary: string }>>> {
  const { runPlugin, runProgram } = options
  if (runPlugin === undefined || runProgram === undefined) return {}
  const plugins = listCliPlugins(settingsOf(flags, options)).filter(({ name }) => !isOwn(name))
  const describe = async (plugin: CliPlugin) =>
    [`${plugin.name}*`, await describeCliPlugin(plugin, runProgram)] as const
  const described = await Promise.all(plugins.map(describe))
  return Object.fromEntries(
    described.flatMap(([name, summary]) => (summary === undefined ? [] : [[name, { summary }]])),
  )
}
