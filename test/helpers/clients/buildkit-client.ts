/** A bare client of BuildKit's protocol, for messages that the installed clients do not send. */
import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import type { Duplex } from 'node:stream'
import { newId } from '../../../src/base/index.ts'
import { Control } from '../../../src/build/buildkit/gen/control_pb.ts'
import { FileSync } from '../../../src/build/buildkit/gen/filesync_pb.ts'
import { LLBBridge } from '../../../src/build/buildkit/gen/gateway_pb.ts'
import type { Definition } from '../../../src/build/buildkit/gen/pb_pb.ts'
import { packetType } from '../../../src/build/buildkit/session/fsutil.ts'
import { GrpcClient, GrpcRoutes } from '../../../src/grpc/index.ts'
import type { TestDaemon } from '../daemons/daemon.ts'
import { listDirectory } from './client-directory.ts'

export interface BuildkitClient extends Disposable {
  readonly grpc: GrpcClient
  /** The id of its session, which answers no calls but those for its directories. */
  readonly session: string
}

/** Directories of the client, by the names that builds use for them. */
export type ClientDirectories = Readonly<Record<string, string>>

/** Connects to the gRPC services of a daemon, with a session. */
export async function connectBuildkit(
  daemon: TestDaemon,
  directories: ClientDirectories = {},
): Promise<BuildkitClient> {
  const session = newId()
  const answering = await upgrade(daemon, '/session', {
    'X-Docker-Expose-Session-Uuid': session,
    'X-Docker-Expose-Session-Sharedkey': 'shared',
    'X-Docker-Expose-Session-Grpc-Method': '/moby.filesync.v1.FileSync/DiffCopy',
  })
  void serveDirectories(directories).serve(answering)
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

/** What a build sends. */
export interface SentBuild {
  readonly directories?: ClientDirectories
  /** Options of the Dockerfile frontend. */
  readonly attrs?: Readonly<Record<string, string>>
  /** The exporter and its options. */
  readonly exporter?: { readonly type: string; readonly attrs: Readonly<Record<string, string>> }
  readonly inputs?: Readonly<Record<string, Definition>>
}

/** What a client shows of a build. */
export interface ShownBuild {
  readonly response: Readonly<Record<string, string>>
  readonly warnings: readonly string[]
  /** Names of the steps, in the order in which they were first told. */
  readonly steps: readonly string[]
  readonly output: string
}

/** Builds a Dockerfile as buildx does: Solve without a frontend, then the frontend over the gateway. Throws
 *  `GrpcError`. */
export async function buildOverBuildkit(daemon: TestDaemon, sent: SentBuild): Promise<ShownBuild> {
  using client = await connectBuildkit(daemon, sent.directories)
  const ref = newId()
  const metadata = { 'buildkit-controlapi-buildid': ref }
  const { type = 'moby', attrs = {} } = sent.exporter ?? {}
  const solving = client.grpc.unary(Control.method.solve, {
    ref,
    session: client.session,
    exporters: [{ type, attrs }],
  })
  solving.catch(() => {})
  const shown = watch(client, ref)
  try {
    const frontend = { frontend: 'dockerfile.v0', frontendOpt: { ...sent.attrs }, frontendInputs: { ...sent.inputs } }
    const { result } = await client.grpc.unary(LLBBridge.method.solve, frontend, { metadata })
    await client.grpc.unary(LLBBridge.method.return, { result: result ?? {} }, { metadata })
  } catch (error) {
    const { code = 2, message = '' } = error as { readonly code?: number; readonly message?: string }
    await client.grpc.unary(LLBBridge.method.return, { error: { code, message } }, { metadata })
    throw error
  }
  const { exporterResponse } = await solving
  return { response: exporterResponse, ...(await shown) }
}

async function watch({ grpc }: BuildkitClient, ref: string): Promise<Omit<ShownBuild, 'response'>> {
  const steps = new Set<string>()
  const warnings: string[] = []
  let output = ''
  const call = grpc.open(Control.method.status, {})
  await call.send({ ref })
  call.end()
  for await (const { vertexes, logs, warnings: told } of call.messages) {
    for (const { name } of vertexes) steps.add(name)
    for (const { msg } of logs) output += Buffer.from(msg).toString('utf8')
    for (const { short } of told) warnings.push(Buffer.from(short).toString('utf8'))
  }
  return { steps: [...steps], warnings, output }
}

/** Answers calls for the files of these directories. */
function serveDirectories(directories: ClientDirectories): GrpcRoutes {
  return new GrpcRoutes().add(FileSync, {
    async *diffCopy(packets, { metadata }) {
      const listOf = (name: string) => [metadata[name] ?? []].flat().flatMap((text) => text.split(', '))
      const [name = ''] = listOf('dir-name')
      const root = directories[name]
      if (root === undefined) {
        yield { type: packetType.error, data: Buffer.from(`no access allowed to dir "${name}"`) }
        return
      }
      const files = listDirectory(root, { included: listOf('include-patterns'), followed: listOf('followpaths') })
      for (const { stat } of files) yield { type: packetType.stat, stat }
      yield { type: packetType.stat }
      for await (const { type, id } of packets) {
        if (type === packetType.end) {
          yield { type: packetType.end }
          return
        }
        const data = readFileSync(files[id]?.path ?? '')
        if (data.length > 0) yield { type: packetType.data, id, data }
        yield { type: packetType.data, id }
      }
    },
  })
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
