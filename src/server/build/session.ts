/** `POST /build/session`: the connection leaves HTTP, and the client sends the request as one message. While it builds,
 *  the daemon asks the client for files, agents and outputs. */
import type { BuildAsk, BuildEvent, BuildRequest } from '../../api/index.ts'
import { BerthError, isKind, type Logger, messageOf } from '../../base/index.ts'
import type { BuildBackend, BuildClient } from '../../contract/index.ts'
import type { Call } from '../answers/route.ts'
import { decodeRegistryConfig } from '../requests/registry-auth.ts'
import { errorEvent } from './error-event.ts'
import { FrameConnection } from './frame-connection.ts'

/** Serves one session until it ends. */
export async function serveSession(backend: BuildBackend, { exchange }: Call, logger: Logger): Promise<void> {
  const auths = decodeRegistryConfig(exchange.headers['x-registry-config'])
  const frames = new FrameConnection(await exchange.connection.hijack('application/vnd.berth.build'))
  const abort = new AbortController()
  const { promise: request, resolve, reject } = Promise.withResolvers<BuildRequest>()
  void frames
    .read((message) => {
      const { type } = message as { readonly type?: unknown }
      if (type === 'build') resolve(message as BuildRequest)
      else if (type === 'cancel') abort.abort(new BerthError('cancelled', 'context canceled'))
    })
    .then(() => {
      const gone = new BerthError('cancelled', 'the client closed the connection')
      reject(gone)
      abort.abort(gone)
    })
  const send = (message: BuildEvent | BuildAsk) => frames.send(message)
  try {
    await backend.build(complete(await request), sessionClient(frames, send, abort.signal, auths))
    send({ type: 'done' })
  } catch (error) {
    if (!isKind(error, 'cancelled')) logger.debug('build failed', { error: messageOf(error) })
    send(errorEvent(error))
  } finally {
    frames.finish()
  }
}

function sessionClient(
  frames: FrameConnection,
  send: (message: BuildEvent | BuildAsk) => void,
  signal: AbortSignal,
  auths: BuildClient['auths'],
): BuildClient {
  const ask = (make: (channel: number) => BuildAsk) => {
    const channel = frames.open()
    send(make(channel))
    return channel
  }
  return {
    signal,
    auths,
    emit: send,
    tar: () => frames.incoming(ask((channel) => ({ type: 'tar', channel }))),
    walk: (context, wanted) => frames.incoming(ask((channel) => ({ type: 'walk', channel, context, ...wanted }))),
    files: (context, paths) => frames.incoming(ask((channel) => ({ type: 'files', channel, context, paths }))),
    openSsh: async (id) => frames.duplex(ask((channel) => ({ type: 'ssh', channel, id }))),
    async openOutput(target, output, form) {
      const channel = ask((number) => ({ type: 'output', channel: number, target, output, form }))
      return {
        write: (chunk) => frames.sendBytes(channel, chunk),
        // The client reports that it has written everything.
        async end() {
          frames.sendEnd(channel)
          for await (const _ of frames.incoming(channel)) {
            // The client sends no bytes back, only the end.
          }
        },
      }
    },
  }
}

/** The request with defaults for members that the client left out. */
function complete(request: BuildRequest): BuildRequest {
  return {
    ...request,
    dockerfileName: request.dockerfileName ?? 'Dockerfile',
    buildArgs: request.buildArgs ?? {},
    labels: request.labels ?? {},
    addHosts: request.addHosts ?? [],
    targets: (request.targets ?? []).map((one) => ({ ...one, tags: one.tags ?? [], outputs: one.outputs ?? [] })),
    allow: request.allow ?? [],
    secrets: request.secrets ?? [],
    ssh: request.ssh ?? [],
    cacheFrom: request.cacheFrom ?? [],
    cacheTo: request.cacheTo ?? [],
    attests: request.attests ?? [],
  }
}
