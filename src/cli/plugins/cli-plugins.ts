/** Plugins of docker's command line. A program `docker-NAME` in one of a few directories is the command NAME. It
 *  receives the whole command line, and reads docker's configuration and environment itself. If its first argument
 *  is `docker-cli-plugin-metadata`, it describes itself. https://github.com/docker/cli/issues/1534 */
import type { ClientSettings, RunProgram } from '../../config/client/index.ts'
import { fs } from '../terminal/builtins.ts'

const { join } = process.getBuiltinModule('node:path')

/** A plugin that was found. */
export interface CliPlugin {
  readonly name: string
  readonly path: string
}

const systemDirectories: readonly string[] = [
  '/usr/local/lib/docker/cli-plugins',
  '/usr/local/libexec/docker/cli-plugins',
  '/usr/lib/docker/cli-plugins',
  '/usr/libexec/docker/cli-plugins',
]
const prefix = 'docker-'
const namePattern = /^[a-z][a-z0-9]*$/

type Configuration = Pick<ClientSettings, 'configDir' | 'file'>

/** The plugin for a command; undefined when there is none. */
export function findCliPlugin(settings: Configuration, name: string): CliPlugin | undefined {
  if (!namePattern.test(name)) return undefined
  const path = directoriesOf(settings)
    .map((directory) => join(directory, prefix + name))
    .find(isProgram)
  return path === undefined ? undefined : { name, path }
}

/** All plugins, by name. */
export function listCliPlugins(settings: Configuration): readonly CliPlugin[] {
  const names = new Set(directoriesOf(settings).flatMap(namesIn))
  return [...names].toSorted().flatMap((name) => findCliPlugin(settings, name) ?? [])
}

/** A plugin's description of itself. Undefined when it gives none: the plugin is then unusable. */
export async function describeCliPlugin({ path }: CliPlugin, runProgram: RunProgram): Promise<string | undefined> {
  try {
    const { code, stdout } = await runProgram(path, ['docker-cli-plugin-metadata'], '')
    const { Vendor, ShortDescription } = JSON.parse(stdout) as { Vendor?: string; ShortDescription?: string }
    return code === 0 && Vendor !== undefined ? (ShortDescription ?? '') : undefined
  } catch {
    return undefined
  }
}

function directoriesOf(settings: Configuration): readonly string[] {
  const { cliPluginsExtraDirs: extra } = settings.file()
  return [...(Array.isArray(extra) ? extra : []), join(settings.configDir, 'cli-plugins'), ...systemDirectories]
}

function namesIn(directory: string): string[] {
  try {
    return fs
      .readdirSync(directory)
      .filter((file) => file.startsWith(prefix))
      .map((file) => file.slice(prefix.length))
  } catch {
    return []
  }
}

function isProgram(path: string): boolean {
  try {
    fs.accessSync(path, fs.constants.X_OK)
    return fs.statSync(path).isFile()
  } catch {
    return false
  }
}
