/** The docker CLI's plugins that `test/runner/cli-plugins` unpacks (Debian 13's), and their replacements. */
import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'

/** The directory of `test/runner/cli-plugins`, for `cliPluginsExtraDirs` of a client's configuration. */
export const cliPluginDirectory = join(import.meta.dirname, '../../../node_modules/.cache/cli-plugins')

/** A plugin's program, or undefined if it could not be unpacked. It also runs by itself: `docker-compose up`. */
export function findCliPlugin(name: 'docker-buildx' | 'docker-compose'): string | undefined {
  const path = join(cliPluginDirectory, name)
  try {
    accessSync(path, constants.X_OK)
    return path
  } catch {
    return undefined
  }
}
