/** A bare client of BuildKit's protocol, for calls that the installed clients do not make. */
import { request } from 'node:http'
import type { Duplex } from 'node:stream'
import { newId } from '../../../src/base/index.ts'
import { GrpcClient, GrpcRoutes } from '../../../src/grpc/index.ts'
import type { TestDaemon } from '../daemons/daemon.ts'

export interface BuildkitClient extends Disposable {
  readonly grpc: GrpcClient
  /** The id of its session, which answers no calls. */
  readonly session: string
}

/** Connects to the gRPC services of a daemon, with a session. */
export async function connectBuildkit(daemon: TestDaemon): Promise<BuildkitClient> {
  const session = newId()
  const answering = await upgrade(daemon, '/session', { 'X-Docker-Expose-Session-Uuid': session })
  void new GrpcRoutes().serve(answering)
  const connection = await upgrade(daemon, '/grpc', {})
  return {
    grpc: new GrpcClient(connection),
    session,
    [Symbol.dispose]: () => {
      connection.destroy()
      answering.destroy()
    },
  }
}

async function upgrade(daemon: TestDaemon, path: string, headers: Record<string, string>): Promise<Duplex> {
  return await new Promise<Duplex>((resolve, reject) => {
    const asked = request({
      socketPath: daemon.socket,
      path,
      method: 'POST',
      headers: { Connection: 'Upgrade', Upgrade: 'h2c', ...headers },
    })
    asked.on('upgrade', (_response, socket, first) => {
      if (first.length > 0) socket.unshift(first)
      resolve(socket)
    })
    asked.on('response', ({ statusCode }) => reject(new Error(`${path} answered ${statusCode}`)))
    asked.on('error', reject)
    asked.end()
  })
}
