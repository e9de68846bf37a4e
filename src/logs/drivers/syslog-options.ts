/** Options of the syslog driver. https://docs.docker.com/engine/logging/drivers/syslog/ */
import { existsSync, readFileSync, statSync } from 'node:fs'
import type { ConnectionOptions } from 'node:tls'
import { BerthError, errnoOf, invalidArgument, messageOf } from '../../base/index.ts'
import type { SyslogFormat } from './syslog-format.ts'

type Options = Readonly<Record<string, string>>

/** The address of a syslog server. */
export type SyslogAddress =
  /** The host's own daemon. */
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

/** Checks the options. Throws `invalidArgument` with Docker's texts. */
export function checkSyslogOptions(options: Options): void {
  syslogAddress(options)
  syslogFacility(options)
  syslogFormat(options)
}

/** Parses the address, `proto://address`. Throws `invalidArgument`. */
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

/** The facility, given by name or number. Throws `invalidArgument`. */
export function syslogFacility(options: Options): number {
  const wanted = options['syslog-facility'] ?? ''
  if (wanted === '') return defaultFacility
  const named = facilities.indexOf(wanted)
  if (named >= 0) return named
  if (/^\d+$/.test(wanted) && Number(wanted) <= 23) return Number(wanted)
  throw invalidArgument('invalid syslog facility')
}

/** Parses the format. Throws `invalidArgument`. */
export function syslogFormat(options: Options): SyslogFormat {
  const format = formats[options['syslog-format'] ?? '']
  if (format === undefined) throw invalidArgument('Invalid syslog format')
  return format
}

/** The certificates for `tcp+tls`. Throws `invalidArgument` for a file that can't be read. */
export function syslogTls(options: Options): ConnectionOptions {
  const ca = options['syslog-tls-ca-cert']
  const cert = options['syslog-tls-cert']
  const key = options['syslog-tls-key']
  const pair = cert && key ? { cert: readFile('X509 certificate', cert), key: readFile('X509 key', key) } : {}
  return {
    ...(ca ? { ca: readFile('CA certificate', ca) } : {}),
    ...pair,
    // Any value counts, as in Docker.
    rejectUnauthorized: options['syslog-tls-skip-verify'] === undefined,
  }
}

/** Parses `host:port`. The port is optional; an IPv6 host is in brackets. Throws `invalidArgument` for a bad port. */
function splitHostPort(text: string, defaultPort: number): { readonly host: string; readonly port: number } {
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

/** Limit of a certificate file, far more than any bundle needs. */
const maxFileBytes = 8 * 1024 * 1024

/** Reads a regular file that a user named. Opening a pipe would block the daemon until another process writes into
 *  it. */
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
