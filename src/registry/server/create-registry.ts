/** Assembles a registry that runs inside a program. `berth registry serve` is one such program. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { nullLogger } from '../../base/index.ts'
import { type CollectGarbageOptions, collectGarbage } from './gc/collect-garbage.ts'
import { type ListenAddress, listenRegistry, type RegistryListener } from './http/registry-listener.ts'
import type { RequestHead } from './http/request-head.ts'
import { BlobLibrary } from './library/blob-library.ts'
import { type LocalContents, localSource } from './library/local-source.ts'
import { ManifestLibrary } from './library/manifest-library.ts'
import type { PullSource } from './library/pull-source.ts'
import { Referrers } from './library/referrers.ts'
import { openAccess } from './model/authorizer.ts'
import { defaultLimits } from './model/registry-limits.ts'
import type { GarbageReport, RegistryObserver } from './model/registry-observer.ts'
import { UploadGate } from './model/upload-gate.ts'
import type { RegistryOptions } from './registry-options.ts'
import { RegistryHandler } from './routes/registry-handler.ts'
import { FolderStorage } from './storage/folder/folder-storage.ts'

/** A running registry. */
export interface Registry {
  /** Answers a request of any Node HTTP server. */
  readonly handler: (request: IncomingMessage, response: ServerResponse) => void
  /** The contents of the storage. */
  readonly contents: LocalContents
  /** What clients can pull: `contents`, or the source that the options put in front of it. */
  readonly source: PullSource
  /** Listens on an address, in addition to others. Rejects with `conflict` if the port is in use. */
  listen(address: ListenAddress): Promise<RegistryListener>
  /** Deletes unused blobs, links and old uploads. Requests go on meanwhile, in this and other processes. Rejects with
   *  `conflict` if another collection is running. */
  collectGarbage(options?: Pick<CollectGarbageOptions, 'isDryRun' | 'signal'>): Promise<GarbageReport>
  /** Stops listening, gives running requests `graceMs` milliseconds to end (default: 10 s), and closes the storage if
   *  the options named a folder. Idempotent. */
  close(graceMs?: number): Promise<void>
}

const defaultGraceMs = 60 * 60 * 1000
const defaultUploadMaxAgeMs = 24 * 60 * 60 * 1000

/** Opens the storage and makes a registry. It accepts connections only after `listen`. */
export async function createRegistry(options: RegistryOptions): Promise<Registry> {
  const isOwn = typeof options.storage === 'string'
  const storage = typeof options.storage === 'string' ? await FolderStorage.open(options.storage) : options.storage
  const { observer = {}, isReadOnly = false, garbageGraceMs: graceMs = defaultGraceMs } = options
  const blobs = new BlobLibrary(storage, { freshMs: graceMs / 2 })
  const referrers = new Referrers(storage.objects)
  const checksIndexes = options.checksIndexes ?? true
  const manifests = new ManifestLibrary(storage.objects, blobs, referrers, { checksIndexes })
  const contents: LocalContents = { blobs, manifests }
  const source = options.pullSource?.(contents) ?? localSource(contents, { keeps: !isReadOnly })
  const limits = { ...defaultLimits, ...options.limits }
  const handler = new RegistryHandler({
    context: {
      blobs,
      manifests,
      referrers,
      uploads: storage.uploads,
      source,
      authorizer: options.authorizer ?? openAccess,
      observer,
      logger: options.logger ?? nullLogger,
      limits,
      uploadGate: new UploadGate(limits.concurrentUploads, (active) => observer.uploadsChanged?.(active)),
      locationOf: locations(options.locations),
    },
    extensions: options.extensions ?? [],
    headers: options.headers ?? {},
    isReadOnly,
    deleteEnabled: options.deleteEnabled ?? true,
  })
  const listeners = new Set<RegistryListener>()
  return {
    handler: (request, response) => void handler.handle(request, response, { awaitsContinue: false }),
    contents,
    source,
    async listen(address) {
      const listener = await listenRegistry(address, limits, handler)
      listeners.add(listener)
      return listener
    },
    collectGarbage: (collectOptions = {}) =>
      observed(observer, () =>
        collectGarbage(storage, {
          graceMs,
          uploadMaxAgeMs: options.uploadMaxAgeMs ?? defaultUploadMaxAgeMs,
          ...collectOptions,
        }),
      ),
    async close(closeGraceMs) {
      await Promise.all([...listeners].map((listener) => listener.close(closeGraceMs)))
      listeners.clear()
      if (isOwn) await storage.close()
    },
  }
}

async function observed(observer: RegistryObserver, collect: () => Promise<GarbageReport>): Promise<GarbageReport> {
  const report = await collect()
  observer.garbageCollected?.(report)
  return report
}

/** Makes the function that forms `Location` headers. */
function locations(kind: RegistryOptions['locations'] = 'relative') {
  if (kind === 'relative') return (_: RequestHead, path: string) => path
  if (kind !== 'host') return (_: RequestHead, path: string) => kind.publicUrl.replace(/\/+$/, '') + path
  return ({ headers, isTls }: RequestHead, path: string) => {
    const { host = '' } = headers
    const forwardedHost = firstOf(headers['x-forwarded-host'])
    const proto = firstOf(headers['x-forwarded-proto']) ?? (isTls ? 'https' : 'http')
    return `${proto}://${forwardedHost ?? host}${path}`
  }
}

/** The first value of a header to which each proxy adds one: the value of the proxy nearest to the client. */
function firstOf(header: string | readonly string[] | undefined): string | undefined {
  const text = typeof header === 'string' ? header : header?.[0]
  const first = text?.split(',', 1)[0]?.trim()
  return first === undefined || first === '' ? undefined : first
}
