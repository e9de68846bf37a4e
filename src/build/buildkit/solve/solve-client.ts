/** Makes the builder's `BuilderClient` from a client's session. */

import { formatNs, nowNs } from '../../../base/index.ts'
import { SessionContext, type SessionFiles, type WantedFiles } from '../../context/session-context.ts'
import { TransferProgress } from '../../context/transfer-progress.ts'
import { ignoreFileNames, parseIgnoreFile, plainPatterns } from '../../dockerfile/index.ts'
import type { BuilderClient } from '../../host/client-host.ts'
import { Vertexes } from '../../model/vertexes.ts'
import { cacheImportsOf, type LocalNames } from '../request/frontend-request.ts'
import type { SolveInput } from '../request/solve-input.ts'
import { ClientContentStore } from '../session/content-store.ts'
import { layoutSink, readLayoutFile } from '../session/layout-files.ts'
import { askCredentials, askSecret, hasAgent, openAgent } from '../session/secrets-and-agents.ts'
import { sendDirectory } from '../session/sent-directory.ts'
import { sendFile } from '../session/sent-file.ts'
import { SyncedDirectory } from '../session/synced-directory.ts'
import { isUpload, pullUpload } from '../session/upload.ts'

/** What the client of one build is made from. */
export interface SolveClientOptions {
  readonly input: SolveInput
  readonly names: LocalNames
  readonly dockerfileName: string
  /** `<data-root>/build`. */
  readonly directory: string
  readonly signal: AbortSignal
  readonly emit: BuilderClient['emit']
  readonly onBuilt: BuilderClient['onBuilt']
  readonly builtContext: NonNullable<BuilderClient['builtContext']>
  /** Called with values for the exporter response. */
  readonly onResponse: (values: Readonly<Record<string, string>>) => void
  /** Called with the text of the Dockerfile. */
  readonly onDockerfile: (text: string) => void
}

/** What reading a Dockerfile takes. */
export type DockerfileOptions = Pick<
  SolveClientOptions,
  'input' | 'names' | 'dockerfileName' | 'directory' | 'signal' | 'emit' | 'onDockerfile'
>

/** Makes the client. */
export function solveClient(options: SolveClientOptions): BuilderClient {
  const { input, signal, emit, onBuilt } = options
  const { session, attrs, archive } = input
  const address = attrs.context ?? ''
  const isOnClient = archive === undefined && address === '' && input.llb === undefined
  // A fetched context contains its Dockerfile, unless the client says that it has one.
  const isDockerfileOnClient = isOnClient || attrs.dockerfilekey !== undefined
  return {
    signal,
    emit,
    auths: {},
    builtContext: options.builtContext,
    ...(onBuilt === undefined ? {} : { onBuilt }),
    ...(archive === undefined ? {} : { tar: archive }),
    ...(isUpload(address) ? { tar: () => pullUpload(session, address, signal) } : {}),
    directory: (name) => new ClientDirectory(options, name),
    ...(isDockerfileOnClient ? { readDockerfile: () => readDockerfile(options) } : {}),
    secret: (id) => askSecret(session, id, signal),
    hasSsh: (id) => hasAgent(session, id, signal),
    openSsh: async (id) => openAgent(session, id, signal),
    authOf: (registry) => askCredentials(session, registry, signal),
    readCacheFile: (option, path) => {
      const { src = '', digest } = cacheImportsOf(input)[option]?.attrs ?? {}
      return readLayoutFile(new ClientContentStore(session, `local:${src}`, signal), path, digest)
    },
    readContextFile: (name, path) => {
      const { store = '', digest } = options.names.layouts.get(name) ?? {}
      return readLayoutFile(new ClientContentStore(session, `oci:${store}`, signal), path, digest)
    },
    openOutput: async (target, output, form) => {
      if (target === -1) {
        const { dest = '' } = input.cacheExports[output]?.attrs ?? {}
        const store = new ClientContentStore(session, `local:${dest}`, signal)
        return layoutSink(store, (top) => options.onResponse({ 'cache.manifest': JSON.stringify(top) }))
      }
      const { type, attrs: wanted } = input.exports[output] ?? { type: '', attrs: {} }
      if (form === 'tar' && type !== 'local') {
        return layoutSink(new ClientContentStore(session, 'export', signal), () => {})
      }
      if (form === 'tar') return sendDirectory(session, options.directory, { output, signal })
      return sendFile(session, { output, signal, attributes: wanted })
    },
  }
}

/** One directory of the client, without the files that its ignore file excludes. */
class ClientDirectory implements SessionFiles {
  readonly #options: SolveClientOptions
  readonly #name: string
  readonly #progress: TransferProgress
  #files: Promise<SyncedDirectory> | undefined

  /** `name` is `context` or the name of a named context. */
  constructor(options: SolveClientOptions, name: string) {
    this.#options = options
    this.#name = name
    this.#progress = new TransferProgress(name, options.emit)
  }

  async *walk(wanted: WantedFiles): ReturnType<SyncedDirectory['walk']> {
    const files = await this.#open()
    using _shown = this.#progress.begin()
    yield* files.walk(wanted)
  }

  async fetch(...[paths, spool, onFile]: Parameters<SyncedDirectory['fetch']>): Promise<void> {
    const files = await this.#open()
    using _shown = this.#progress.begin()
    await files.fetch(paths, spool, onFile)
  }

  async close(): Promise<void> {
    const files = await this.#files?.catch(() => undefined)
    await files?.close()
  }

  #open(): Promise<SyncedDirectory> {
    this.#files ??= this.#begin()
    return this.#files
  }

  async #begin(): Promise<SyncedDirectory> {
    const { input, names, signal } = this.#options
    const isMain = this.#name === 'context'
    const local = isMain ? names.context : (names.named.get(this.#name) ?? this.#name)
    const excludes = input.llb?.excludes.get(local) ?? (await readIgnoreFile(this.#options, local, isMain))
    return new SyncedDirectory(input.session, local, {
      excludes,
      signal,
      onBytes: (count) => this.#progress.add(count),
    })
  }
}

/** Reads the Dockerfile from the client. Undefined when there is none. */
export async function readDockerfile(options: DockerfileOptions): Promise<string | undefined> {
  const { names, dockerfileName, onDockerfile } = options
  const lower = dockerfileName.toLowerCase()
  const wanted = dockerfileName === 'Dockerfile' ? [dockerfileName, lower] : [dockerfileName]
  const text = await readFirst(options, names.dockerfile, wanted)
  tellTransfer(options, 'dockerfile', 'transferring dockerfile:', text)
  if (text !== undefined) onDockerfile(text)
  return text
}

/** Reads the ignore file. The Dockerfile's own takes precedence over the context's. */
async function readIgnoreFile(options: DockerfileOptions, local: string, isMain: boolean): Promise<readonly string[]> {
  const vertex = new Vertexes(options.emit).begin(`ignore ${local}`, '[internal] load .dockerignore')
  try {
    const [own = '', common = ''] = ignoreFileNames(options.dockerfileName)
    const text =
      (isMain ? await readFirst(options, options.names.dockerfile, [own]) : undefined) ??
      (await readFirst(options, local, [common]))
    tellTransfer(options, vertex.id, 'transferring context:', text)
    vertex.done()
    return text === undefined ? [] : plainPatterns(parseIgnoreFile(text))
  } catch (error) {
    vertex.fail(error)
    throw error
  }
}

function tellTransfer({ emit }: DockerfileOptions, vertex: string, id: string, text: string | undefined): void {
  const now = formatNs(nowNs())
  emit({ type: 'status', vertex, id, current: Buffer.byteLength(text ?? ''), started: now, completed: now })
}

/** Reads the first of these small files that exists. */
async function readFirst(
  { input, signal, directory }: DockerfileOptions,
  local: string,
  paths: readonly string[],
): Promise<string | undefined> {
  const files = new SyncedDirectory(input.session, local, { excludes: [], signal, onBytes: () => {} })
  await using context = SessionContext.open(directory, '', files)
  await context.look(paths)
  for (const path of paths) {
    const text = await context.text(path)
    if (text !== undefined) return text
  }
  return undefined
}
