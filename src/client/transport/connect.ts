/** Opens the connection to the daemon: unix socket, TCP or TLS. `node:tls` is loaded only when it is used. */
import type { Socket } from 'node:net'
import { BerthError, errnoOf, messageOf } from '../../base/index.ts'
import type { Endpoint, SshEndpoint, TlsFiles } from './endpoint.ts'

/** Endpoints that a socket alone can reach. */
type DirectEndpoint = Exclude<Endpoint, SshEndpoint>

/** Resolves with a connected socket. Throws `unavailable` when no server listens, `forbidden` without permission. */
export async function openConnection(endpoint: DirectEndpoint, tls: TlsFiles | undefined): Promise<Socket> {
  const socket = await openSocket(endpoint, tls)
  const { promise, resolve, reject } = Promise.withResolvers<Socket>()
  const ready = tls === undefined || endpoint.kind === 'unix' ? 'connect' : 'secureConnect'
  const onError = (error: Error): void => reject(translate(error, endpoint))
  socket.once('error', onError)
  socket.once(ready, () => {
    socket.off('error', onError)
    // From here on, the reader notices a broken connection, because its stream ends early.
    socket.on('error', ignoreError)
    resolve(socket)
  })
  return promise
}

function ignoreError(): void {}

async function openSocket(endpoint: DirectEndpoint, tls: TlsFiles | undefined): Promise<Socket> {
  // Not imported: the wrapper of an ES import of node:net takes longer than the module itself.
  const { connect: connectPlain } = process.getBuiltinModule('node:net')
  if (endpoint.kind === 'unix') return connectPlain({ path: endpoint.path, allowHalfOpen: true })
  const { host, port } = endpoint
  if (tls === undefined) return connectPlain({ host, port, noDelay: true, allowHalfOpen: true })
  const [{ connect }, { readFileSync }] = await Promise.all([import('node:tls'), import('node:fs')])
  const read = (path: string | undefined): Buffer | undefined => {
    if (path === undefined) return undefined
    try {
      return readFileSync(path)
    } catch (cause) {
      const why = errnoOf(cause) === 'ENOENT' ? 'no such file or directory' : messageOf(cause)
      const message = `Failed to initialize: unable to resolve docker endpoint: open ${path}: ${why}`
      throw new BerthError('invalidArgument', message, { cause })
    }
  }
  return connect({
    host,
    port,
    ALPNProtocols: ['http/1.1'],
    ca: read(tls.caPath),
    cert: read(tls.certificatePath),
    key: read(tls.keyPath),
    rejectUnauthorized: tls.verify,
    ...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }),
  })
}

function translate(error: Error, endpoint: DirectEndpoint): BerthError {
  const code = errnoOf(error)
  if (code === 'EACCES' || code === 'EPERM') {
    return new BerthError(
      'forbidden',
      `permission denied while trying to connect to the Berth daemon at ${endpoint.url}`,
      {
        cause: error,
        details: { code },
      },
    )
  }
  if (code === 'ENOENT' || code === 'ECONNREFUSED') {
    const message = `Cannot connect to the Berth daemon at ${endpoint.url}. Is the berth daemon running?`
    return new BerthError('unavailable', message, { cause: error, details: { code } })
  }
  const text = `error during connect to ${endpoint.url}: ${messageOf(error)}`
  return new BerthError('unavailable', text, { cause: error, details: { code } })
}
