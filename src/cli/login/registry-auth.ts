/** The user's credentials for a registry, encoded for the API: `X-Registry-Auth`. */
import type { AuthConfig } from '../../api/index.ts'
import { Credentials, hubServer, type StoredCredentials } from '../../config/client/index.ts'
import { defaultRegistry } from '../../oci/index.ts'
import type { CliContext } from '../command/command.ts'

/** The server name under which a registry's credentials are stored. */
export function serverOf(registry: string): string {
  return registry === defaultRegistry || registry === 'index.docker.io' ? hubServer : registry
}

/** The credentials that `docker login` or `berth login` stored; undefined when there are none. A helper that fails
 *  counts as none, because much can be pulled without. */
export async function registryAuthFor(
  { settings, runProgram }: Pick<CliContext, 'settings' | 'runProgram'>,
  registry: string,
): Promise<string | undefined> {
  const server = serverOf(registry)
  let stored: StoredCredentials
  try {
    stored = await new Credentials(settings, runProgram).get(server)
  } catch {
    return undefined
  }
  if (stored.username === '' && stored.identityToken === '') return undefined
  return Buffer.from(JSON.stringify(toAuthConfig(stored, server))).toString('base64url')
}

/** All stored credentials, for builds: `X-Registry-Config`. Undefined when there are none. */
export async function registryConfigOf({
  settings,
  runProgram,
}: Pick<CliContext, 'settings' | 'runProgram'>): Promise<string | undefined> {
  const credentials = new Credentials(settings, runProgram)
  const found: Record<string, AuthConfig> = {}
  for (const server of await credentials.servers()) {
    try {
      const stored = await credentials.get(server)
      if (stored.username !== '' || stored.identityToken !== '') found[server] = toAuthConfig(stored, server)
    } catch {
      // A failing helper is ignored, because much can be pulled without credentials.
    }
  }
  if (Object.keys(found).length === 0) return undefined
  return Buffer.from(JSON.stringify(found)).toString('base64url')
}

/** Credentials in the form of the API. */
export function toAuthConfig({ username, password, identityToken }: StoredCredentials, server: string): AuthConfig {
  return {
    ...(username === '' ? {} : { username }),
    ...(password === '' ? {} : { password }),
    serveraddress: server,
    ...(identityToken === '' ? {} : { identitytoken: identityToken }),
  }
}
