/** Connects to log servers. Errors have Go's texts, which users know from Docker. */
import { connect as connectTcp, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import { BerthError, errnoOf, messageOf } from '../../base/index.ts'

/** The address of a stream server. */
export type StreamTarget =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly tls?: ConnectionOptions }
  | { readonly kind: 'unix'; readonly path: string }

const connectTimeoutMs = 10_000

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  ENOENT: 'connect: no such file or directory',
  EACCES: 'connect: permission denied',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ETIMEDOUT: 'i/o timeout',
  EPROTOTYPE: 'connect: protocol wrong type for socket',
}

/** The error for a failed connection: `dial tcp 127.0.0.1:1: connect: connection refused`. */
export function dialError(network: string, address: string, cause: unknown): BerthError {
  const code = errnoOf(cause) ?? ''
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    const host = address.replace(/:\d+$/, '')
    const why = code === 'ENOTFOUND' ? 'no such host' : 'Temporary failure in name resolution'
    return new BerthError('unavailable', `dial ${network}: lookup ${host}: ${why}`, { cause })
  }
  return new BerthError('unavailable', `dial ${network} ${address}: ${reasons[code] ?? messageOf(cause)}`, { cause })
}

/** Connects to a server. Throws `unavailable` with Go's text. */
export async function dialStream(target: StreamTarget): Promise<Socket> {
  const isUnix = target.kind === 'unix'
  const address = isUnix ? target.path : joinHostPort(target.host, target.port)
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const socket = open(target, resolve)
  const onError = (error: unknown) => reject(error)
  socket.on('error', onError)
  const timer = setTimeout(() => reject(Object.assign(new Error('timeout'), { code: 'ETIMEDOUT' })), connectTimeoutMs)
  try {
    await promise
    socket.off('error', onError)
    return socket
  } catch (error) {
    // A destroyed socket may still report an error.
    socket.on('error', () => {})
    socket.destroy()
    const reason = !isUnix && target.tls !== undefined ? tlsReason(error) : undefined
    if (reason !== undefined) throw new BerthError('unavailable', `tls: ${reason}`, { cause: error })
    throw dialError(isUnix ? 'unix' : 'tcp', address, error)
  } finally {
    clearTimeout(timer)
  }
}

/** `host:port` as text, with brackets around an IPv6 address. */
export function joinHostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

function open(target: StreamTarget, onOpen: () => void): Socket {
  if (target.kind === 'unix') return connectTcp({ path: target.path }, onOpen)
  const { host, port, tls } = target
  // In Go, an empty host means this one.
  const place = { host: host === '' ? 'localhost' : host, port }
  if (tls === undefined) return connectTcp(place, onOpen)
  return connectTls(
    { ...place, ...(host === '' || /^[\d.:]+$/.test(host) ? {} : { servername: host }), ...tls },
    onOpen,
  )
}

/** Go's text for a TLS error; undefined for other errors. */
function tlsReason(error: unknown): string | undefined {
  const code = errnoOf(error) ?? ''
  if (/^(UNABLE_TO_|(DEPTH_ZERO_)?SELF_SIGNED_)/.test(code)) {
    return 'failed to verify certificate: x509: certificate signed by unknown authority'
  }
  return code in reasons || /^(ENOTFOUND|EAI_AGAIN|ECONNRESET)$/.test(code) ? undefined : messageOf(error)
}
