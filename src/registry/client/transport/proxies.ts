/** Chooses the proxy of a request by the rules of Go programs, which Docker's users know from NO_PROXY.
 *  https://pkg.go.dev/golang.org/x/net/http/httpproxy#Config */
import { isIP } from 'node:net'
import { invalidArgument } from '../../../base/index.ts'
import { isInside } from './cidr.ts'

/** Addresses of proxies. An absent member means no proxy. */
export interface ProxySettings {
  readonly httpProxy?: string | undefined
  readonly httpsProxy?: string | undefined
  /** Hosts, domains, addresses and CIDRs that are reached directly, separated by commas. */
  readonly noProxy?: string | undefined
}

/** The proxy for a URL; undefined for none. Loopback is always reached directly. Throws `invalidArgument` for a proxy
 *  that is neither `http://` nor `https://`. */
export function proxyFor(url: URL, { httpProxy, httpsProxy, noProxy }: ProxySettings): string | undefined {
  const proxy = url.protocol === 'https:' ? httpsProxy : httpProxy
  if (proxy === undefined || proxy === '' || isDirect(url, noProxy ?? '')) return undefined
  const address = /^[a-z][a-z0-9+.-]*:\/\//i.test(proxy) ? proxy : `http://${proxy}`
  if (!/^https?:\/\//i.test(address) || !URL.canParse(address)) {
    throw invalidArgument('invalid proxy: the address must begin with http:// or https://')
  }
  return address
}

function isDirect(url: URL, noProxy: string): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase()
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port
  if (host === 'localhost' || isInside(host, '127.0.0.0/8') || isInside(host, '::1/128')) return true
  return noProxy
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .some((entry) => entry !== '' && matches(entry, host, port))
}

function matches(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true
  if (entry.includes('/')) return isInside(host, entry)
  const [, name = entry, entryPort] = /^(.+?)(?::(\d+))?$/.exec(isIP(entry) === 6 ? `[${entry}]` : entry) ?? []
  if (entryPort !== undefined && entryPort !== port) return false
  const plain = name.replace(/^\[|\]$/g, '')
  if (isIP(plain) !== 0) return plain === host
  if (plain.startsWith('*.')) return host.endsWith(plain.slice(1))
  if (plain.startsWith('.')) return host.endsWith(plain)
  return host === plain || host.endsWith(`.${plain}`)
}
