/** `--build-arg`, and the arguments that every build gets: the configured proxies and SOURCE_DATE_EPOCH. */
import type { ClientSettings } from '../../config/client/index.ts'
import { proxyVariables } from '../command/proxy-variables.ts'

/** The build arguments. A name without a value gets it from the environment, and is left out if it has none there. */
export function buildArgsOf(
  values: readonly string[],
  settings: Pick<ClientSettings, 'environment' | 'file' | 'daemon'>,
): Readonly<Record<string, string>> {
  const { environment } = settings
  const args: Record<string, string> = proxyVariables(settings)
  const epoch = environment.SOURCE_DATE_EPOCH ?? ''
  if (epoch !== '') args.SOURCE_DATE_EPOCH = epoch
  for (const value of values) {
    const equals = value.indexOf('=')
    const name = equals === -1 ? value : value.slice(0, equals)
    const given = equals === -1 ? environment[name] : value.slice(equals + 1)
    if (given !== undefined) args[name] = given
  }
  return args
}
