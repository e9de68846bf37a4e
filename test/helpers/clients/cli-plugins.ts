/** The docker CLI's plugins that `test/runner/cli-plugins` unpacks (Debian 13's), and the newer buildx of `test/runner/go-clients`. */
import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'

/** The directory of `test/runner/cli-plugins`, for `cliPluginsExtraDirs` of a client's configuration. */
export const cliPluginDirectory = join(import.meta.dirname, '../../../node_modules/.cache/cli-plugins')

/** A plugin's program, or undefined if it could not be unpacked. It also runs by itself: `docker-compose up`. */
export function findCliPlugin(name: 'docker-buildx' | 'docker-compose'): string | undefined {
  return executable(join(cliPluginDirectory, name))
}

/** The program of buildx 0.36, or undefined if it could not be built. */
export function findNewBuildx(): string | undefined {
  return executable(join(import.meta.dirname, '../../../node_modules/.cache/go-clients/buildx-0.36.1'))
}

function executable(path: string): string | undefined {
  try {
    accessSync(path, constants.X_OK)
    return path
  } catch {
    return undefined
  }
}
