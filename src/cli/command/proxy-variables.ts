/** The proxies of the configuration as environment variables. https://docs.docker.com/engine/cli/proxy/ */
import type { ClientSettings } from '../../config/client/index.ts'

const proxyNames = {
  httpProxy: 'HTTP_PROXY',
  httpsProxy: 'HTTPS_PROXY',
  ftpProxy: 'FTP_PROXY',
  noProxy: 'NO_PROXY',
  allProxy: 'ALL_PROXY',
} as const

/** The variables for this daemon, or the default ones. Each name appears in upper and in lower case. */
export function proxyVariables({ file, daemon }: Pick<ClientSettings, 'file' | 'daemon'>): Record<string, string> {
  const variables: Record<string, string> = {}
  const { proxies } = file()
  if (proxies === undefined) return variables
  for (const [key, value] of Object.entries(proxies[daemon().host] ?? proxies.default ?? {})) {
    const name = Object.hasOwn(proxyNames, key) ? proxyNames[key as keyof typeof proxyNames] : undefined
    if (name === undefined || typeof value !== 'string' || value === '') continue
    variables[name] = value
    variables[name.toLowerCase()] = value
  }
  return variables
}
