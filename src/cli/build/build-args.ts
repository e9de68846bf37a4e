/** `--build-arg`, with what a build gets of itself: the configured proxies, SOURCE_DATE_EPOCH. */
import type { ClientSettings } from '../../config/client/index.ts'

const proxyNames = {
  httpProxy: 'HTTP_PROXY',
  httpsProxy: 'HTTPS_PROXY',
  ftpProxy: 'FTP_PROXY',
  noProxy: 'NO_PROXY',
  allProxy: 'ALL_PROXY',
} as const

/** A name without a value takes that of the environment; without one it isn't given. */
export function buildArgsOf(
  values: readonly string[],
  { environment, file, host }: Pick<ClientSettings, 'environment' | 'file' | 'host'>,
): Readonly<Record<string, string>> {
  const args: Record<string, string> = {}
  const proxies = file().proxies ?? {}
  for (const [key, value] of Object.entries(proxies[host] ?? proxies.default ?? {})) {
    const name = Object.hasOwn(proxyNames, key) ? proxyNames[key as keyof typeof proxyNames] : undefined
    if (name === undefined || typeof value !== 'string') continue
    args[name] = value
    args[name.toLowerCase()] = value
  }
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
