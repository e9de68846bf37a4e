/** Secrets, agents and credentials of the client. Each is requested when a step needs it. */
import { Duplex } from 'node:stream'
import type { AuthConfig } from '../../../api/index.ts'
import { GrpcError, grpcCode } from '../../../grpc/index.ts'
import { Auth } from '../gen/filesync_pb.ts'
import { Secrets } from '../gen/secrets_pb.ts'
import { SSH } from '../gen/sshforward_pb.ts'
import type { ClientSession } from './client-session.ts'

/** The value of a secret. Undefined when the client has no secret with that id. */
export async function askSecret(session: ClientSession, id: string, signal: AbortSignal): Promise<Buffer | undefined> {
  if (!session.supports(Secrets.method.getSecret)) return undefined
  try {
    const { data } = await session.client.unary(Secrets.method.getSecret, { id }, { signal })
    return Buffer.from(data)
  } catch (error) {
    if (error instanceof GrpcError && error.code === grpcCode.notFound) return undefined
    throw error
  }
}

/** True when the client forwards an agent with that id. */
export async function hasAgent(session: ClientSession, id: string, signal: AbortSignal): Promise<boolean> {
  if (!session.supports(SSH.method.checkAgent)) return false
  try {
    await session.client.unary(SSH.method.checkAgent, { id }, { signal })
    return true
  } catch (error) {
    // Clients report an unknown agent with errors of various codes.
    if (error instanceof GrpcError && error.code !== grpcCode.unavailable) return false
    throw error
  }
}

/** Opens a connection to an agent. */
export function openAgent({ client }: ClientSession, id: string, signal: AbortSignal): Duplex {
  const call = client.open(SSH.method.forwardAgent, { metadata: { 'buildkit.ssh.id': id }, signal })
  const incoming = call.messages[Symbol.asyncIterator]()
  return new Duplex({
    read() {
      incoming.next().then(
        ({ done, value }) => this.push(done === true ? null : Buffer.from(value.data)),
        (error: Error) => this.destroy(error),
      )
    },
    write: (data: Buffer, _encoding, done) => void call.send({ data }).then(() => done(), done),
    final: (done) => {
      call.end()
      done()
    },
    destroy: (error, done) => {
      call.cancel()
      done(error)
    },
  })
}

const hubHost = 'registry-1.docker.io'

/** Credentials for a registry. Undefined when the client has none. */
export async function askCredentials(
  session: ClientSession,
  registry: string,
  signal: AbortSignal,
): Promise<AuthConfig | undefined> {
  if (!session.supports(Auth.method.credentials)) return undefined
  const host = registry === 'docker.io' ? hubHost : registry
  const { username, secret } = await session.client.unary(Auth.method.credentials, { host }, { signal })
  if (secret === '') return undefined
  return username === '' ? { identitytoken: secret } : { username, password: secret }
}
