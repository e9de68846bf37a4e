/** Options of the syslog driver. https://docs.docker.com/engine/logging/drivers/syslog/ */
import { existsSync, readFileSync, statSync } from 'node:fs'
import type { ConnectionOptions } from 'node:tls'
import { BerthError, errnoOf, invalidArgument, messageOf } from '../../base/index.ts'
import type { SyslogFormat } from './syslog-format.ts'

type Options = Readonly<Record<string, string>>

export type SyslogAddress =
  /** The host's own. */
  | { readonly kind: 'local' }
  | { readonly kind: 'udp' | 'tcp' | 'tls'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix' | 'unixgram'; readonly path: string }

const defaultPort = 514

const facilities: readonly string[] = [
  ...['kern', 'user', 'mail', 'daemon', 'auth', 'syslog', 'lpr', 'news', 'uucp', 'cron', 'authpriv', 'ftp'],
  // These numbers have no names.
  ...['', '', '', ''],
  ...['local0', 'local1', 'local2', 'local3', 'local4', 'local5', 'local6', 'local7'],
]
const defaultFacility = 3

const formats: Readonly<Record<string, SyslogFormat>> = {
  '': 'local',
  rfc3164: 'rfc3164',
  rfc5424: 'rfc5424',
  rfc5424micro: 'rfc5424micro',
}

/** Throws `invalidArgument` in Docker's words. */
export function checkSyslogOptions(options: Options): void {
  syslogAddress(options)
  syslogFacility(options)
  syslogFormat(options)
}

/** `proto://address`. */
export function syslogAddress(options: Options): SyslogAddress {
  const address = options['syslog-address'] ?? ''
  if (address === '') return { kind: 'local' }
  const [, protocol = '', rest = ''] = /^([^:]+):\/\/(.*)$/s.exec(address) ?? []
  if (protocol === 'unix' || protocol === 'unixgram') {
    if (!existsSync(rest)) throw invalidArgument(`stat ${rest}: no such file or directory`)
    return { kind: protocol, path: rest }
  }
  const kind = { udp: 'udp', tcp: 'tcp', 'tcp+tls': 'tls' }[protocol]
  if (kind !== 'udp' && kind !== 'tcp' && kind !== 'tls') {
    throw invalidArgument(`syslog-address should be in form proto://address, got ${address}`)
  }
  const { host, port } = splitHostPort(rest, defaultPort)
  return { kind, host, port }
}

/** By name or number. */
export function syslogFacility(options: Options): number {
  const wanted = options['syslog-facility'] ?? ''
  if (wanted === '') return defaultFacility
  const named = facilities.indexOf(wanted)
  if (named >= 0) return named
  if (/^\d+$/.test(wanted) && Number(wanted) <= 23) return Number(wanted)
  throw invalidArgument('invalid syslog facility')
}

export function syslogFormat(options: Options): SyslogFormat {
  const format = formats[options['syslog-format'] ?? '']
  if (format === undefined) throw invalidArgument('Invalid syslog format')
  return format
}

/** Certificates for `tcp+tls`. Throws `invalidArgument` for a file that can't be read. */
export function syslogTls(options: Options): ConnectionOptions {
  const ca = options['syslog-tls-ca-cert']
  const cert = options['syslog-tls-cert']
  const key = options['syslog-tls-key']
  const pair = cert && key ? { cert: readFile('X509 certificate', cert), key: readFile('X509 key', key) } : {}
  return {
    ...(ca ? { ca: readFile('CA certificate', ca) } : {}),
    ...pair,
    // Whatever its value, as with Docker.
    rejectUnauthorized: options['syslog-tls-skip-verify'] === undefined,
  }
}

/** `host:port`, the port optional; an IPv6 host in brackets. Throws `invalidArgument` for a port that is none. */
export function splitHostPort(text: string, defaultPort: number): { readonly host: string; readonly port: number } {
  const [, bracketed, plain = '', portText] = /^(?:\[([^\]]*)\]|([^:]*))(?::([^:]*))?$/.exec(text) ?? []
  if (bracketed === undefined && plain === '' && portText === undefined && text !== '') {
    throw invalidArgument(`address ${text}: too many colons in address`)
  }
  const port = portText === undefined || portText === '' ? defaultPort : Number(portText)
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw invalidArgument(`dial tcp: address ${portText}: invalid port`)
  }
  return { host: bracketed ?? plain, port }
}

/** Far more than any bundle of certificates has. */
const maxFileBytes = 8 * 1024 * 1024

/** The user names any file of the host. A pipe would hold up the daemon until somebody writes into it. */
function readFile(what: string, path: string): Buffer {
  try {
    const status = statSync(path)
    if (!status.isFile()) throw new Error('not a regular file')
    if (status.size > maxFileBytes) throw new Error(`larger than ${maxFileBytes} bytes`)
    return readFileSync(path)
  } catch (cause) {
    const why = errnoOf(cause) === 'ENOENT' ? 'no such file or directory' : messageOf(cause)
    throw new BerthError('invalidArgument', `could not read ${what} "${path}": open ${path}: ${why}`, { cause })
  }
}
