/** Makes the builder's `BuildHost` from a client's connection. */
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import type { AuthConfig, BuildContextDigest, BuildContextFile, BuildRequest } from '../../api/index.ts'
import { invalidArgument, notImplemented } from '../../base/index.ts'
import type { BuildClient } from '../../contract/index.ts'
import { registryAuthOf } from '../../images/index.ts'
import type { FileContext } from '../context/file-context.ts'
import { readFileStream, readOneFile } from '../context/file-stream.ts'
import { readJsonLines } from '../context/json-lines.ts'
import { openRemoteContext } from '../context/remote-context.ts'
import { SessionContext, type SessionFiles } from '../context/session-context.ts'
import { TarContext } from '../context/tar-context.ts'
import { TransferProgress } from '../context/transfer-progress.ts'
import type { BuildParts } from '../model/build-parts.ts'
import type { BuildHost, BuildListener, ClientFiles } from './build-host.ts'

/** A client as the builder sees it: what clients of the API can do, and what only a BuildKit session can do. Members are
 *  absent when the client can't do that. `readDockerfile` is for a Dockerfile that is neither in the request nor in the
 *  context; `readCacheFile` and `readContextFile` are for clients that do not use `files`. */
export interface BuilderClient
  extends BuildClient,
    Pick<BuildListener, 'onBuilt'>,
    Pick<ClientFiles, 'readDockerfile' | 'readContextFile' | 'builtContext' | 'readCacheFile'> {
  /** Access to a directory by the name of its context, for clients that do not use `walk` and `files`. */
  directory?(context: string): SessionFiles
  /** The value of a secret that the request does not contain. Undefined when the client has none with that id. */
  secret?(id: string): Promise<Buffer | undefined>
  /** True when the client forwards an SSH agent with that id which the request does not list. */
  hasSsh?(id: string): Promise<boolean>
  /** Credentials for a registry that `auths` does not list. */
  authOf?(registry: string): Promise<AuthConfig | undefined>
}

/** Makes the host of a build from its request and its client. Secrets, agents and credentials in the request come
 *  first, then the client is asked. */
export function clientHost(parts: BuildParts, request: BuildRequest, client: BuilderClient): BuildHost {
  const secrets = new Map(request.secrets.map(({ id, value }) => [id, Buffer.from(value, 'base64')]))
  const agents = new Set(request.ssh.map(({ id }) => id))
  return {
    signal: client.signal,
    emit: (event) => client.emit(event),
    ...(client.onPlan === undefined ? {} : { onPlan: client.onPlan }),
    ...(client.onStep === undefined ? {} : { onStep: client.onStep }),
    openContext: (name) => openContext(parts, request, client, name),
    ...(client.readDockerfile === undefined ? {} : { readDockerfile: client.readDockerfile.bind(client) }),
    secret: async (id) => secrets.get(id) ?? (await client.secret?.(id)),
    hasSsh: async (id) => client.openSsh !== undefined && (agents.has(id) || (await client.hasSsh?.(id)) === true),
    ...(client.openSsh === undefined ? {} : { openSsh: (id: string) => openSsh(client, id) }),
    authOf: async (registry) => registryAuthOf(authFor(client.auths, registry) ?? (await client.authOf?.(registry))),
    ...(client.builtContext === undefined ? {} : { builtContext: client.builtContext }),
    ...(client.onBuilt === undefined ? {} : { onBuilt: client.onBuilt }),
    ...(client.files === undefined
      ? {}
      : {
          readCacheFile: (option: number, path: string) => clientFile(client, `cache-from:${option}`, path),
          readContextFile: (name: string, path: string) => clientFile(client, name, path),
        }),
    ...(client.readCacheFile === undefined ? {} : { readCacheFile: client.readCacheFile }),
    ...(client.readContextFile === undefined ? {} : { readContextFile: client.readContextFile }),
    ...(client.openOutput === undefined ? {} : { openOutput: client.openOutput.bind(client) }),
  }
}

function clientFile(client: BuilderClient, context: string, path: string): AsyncIterable<Buffer> {
  const source = client.files?.(context, [path])
  if (source === undefined) throw notImplemented('a directory of this client')
  return readOneFile(source, path)
}

function openSsh(client: BuilderClient, id: string): Promise<Duplex> {
  if (client.openSsh === undefined) throw notImplemented('ssh forwarding by this client')
  return client.openSsh(id)
}

async function openContext(
  parts: BuildParts,
  request: BuildRequest,
  client: BuilderClient,
  name: string,
): Promise<FileContext | undefined> {
  const source = name === 'context' ? request.context : request.namedContexts?.[name]
  if (source === undefined || source.kind === 'none') return undefined
  const { signal } = client
  switch (source.kind) {
    case 'tar':
      if (client.tar === undefined) throw notImplemented('a context archive by this client')
      return await TarContext.read(client.tar(), join(parts.directory, 'tmp'), { signal })
    case 'remote':
      return await openRemoteContext(parts, source.url, { signal, dockerfileName: request.dockerfileName })
    case 'local': {
      const directory = client.directory?.(name)
      if (directory !== undefined) return SessionContext.open(parts.directory, source.key, directory)
      const { walk, files } = client
      if (walk === undefined || files === undefined) throw notImplemented('a directory as context by this client')
      const progress = new TransferProgress(name, (event) => client.emit(event))
      return SessionContext.open(parts.directory, source.key, {
        walk: (wanted) =>
          readJsonLines(progress.counted(walk.call(client, name, wanted))) as AsyncIterable<BuildContextFile>,
        digest: (wanted) => readDigest(progress.counted(walk.call(client, name, { ...wanted, digest: true }))),
        fetch: (paths, spool, onFile) =>
          readFileStream(progress.counted(files.call(client, name, paths)), paths, spool, onFile),
      })
    }
    case 'image':
    case 'layout':
    case 'stage':
    case 'result':
      return undefined
  }
}

/** Finds credentials. Docker Hub's credentials can be stored under several names. */
function authFor(auths: Readonly<Record<string, AuthConfig>>, registry: string): AuthConfig | undefined {
  const hub = ['https://index.docker.io/v1/', 'index.docker.io', 'registry-1.docker.io', 'docker.io']
  const names = registry === 'docker.io' ? hub : [registry, `https://${registry}`, `http://${registry}`]
  return names.map((name) => auths[name]).find((auth) => auth !== undefined)
}

/** Reads the digest from the client's answer. Throws `invalidArgument` when the answer has none. */
async function readDigest(answer: AsyncIterable<Buffer>): Promise<BuildContextDigest> {
  for await (const value of readJsonLines(answer)) {
    const { digest, links } = value as Partial<BuildContextDigest>
    if (typeof digest === 'string' && links !== undefined) return { digest, links }
  }
  throw invalidArgument('the client sent no digest of its files')
}
