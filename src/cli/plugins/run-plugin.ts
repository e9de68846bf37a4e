/** Commands that plugins of docker's command line bring. */
import { messageOf } from '../../base/index.ts'
import type { ClientSettings } from '../../config/client/index.ts'
import { CliError } from '../command/cli-error.ts'
import { settingsOf } from '../command/create-context.ts'
import type { MainOptions } from '../command/main-options.ts'
import type { FlagValues } from '../flags/flag-values.ts'
import type { ParsedArguments } from '../flags/parse-flags.ts'
import { type CliPlugin, describeCliPlugin, findCliPlugin, listCliPlugins } from './cli-plugins.ts'

/** The arguments before the command, parsed, and as they were. */
export interface GlobalArguments extends ParsedArguments {
  readonly before: readonly string[]
}

/** What runs the plugin that a command with its arguments means, and gives its exit code; undefined when it means none.
 *  `builder` may stand for one (`aliases` of config.json, of which docker knows no other). */
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

/** A plugin asks docker's socket where nothing tells it otherwise: it is told ours. Flags are passed on as they are. */
function environmentOf(settings: ClientSettings, flags: FlagValues): Readonly<Record<string, string | undefined>> {
  const isFlag = flags.has('host') || flags.has('context')
  return {
    ...settings.environment,
    DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND: 'berth',
    ...(isFlag || settings.contextName() !== 'default' ? {} : { DOCKER_HOST: settings.daemon().host }),
  }
}

/** The plugins that are no commands of ours, as docker lists them: marked with a star. */
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
