/** Makes what `--output` asks for from the images of a build: images in the store and in registries, archives,
 *  directories. */
import type { BuildAttestation } from '../../api/index.ts'
import { invalidArgument, newId, notImplemented } from '../../base/index.ts'
import type { Lease } from '../../content/index.ts'
import type { BuildByteSink } from '../../contract/index.ts'
import { nameFrom } from '../../images/index.ts'
import {
  digestOf,
  familiarName,
  familiarReference,
  formatPlatform,
  formatReference,
  type Reference,
} from '../../oci/index.ts'
import type { BuiltImage } from '../model/built-image.ts'
import { type Attestation, formatStatement } from './attestations/attestation-manifest.ts'
import { imagePackageUrl, provenanceOf } from './attestations/provenance.ts'
import { formatInlineRecords, inlineCacheMember } from './cache/cache-config.ts'
import { type BuiltStacks, exportCaches } from './cache/cache-exporter.ts'
import { type AssembledImage, assembleImage, type PartToAssemble } from './image/assemble-image.ts'
import { imageArchive } from './image/image-archive.ts'
import { pushBuiltImage, pushedName } from './image/push-built-image.ts'
import { storeBuiltImage } from './image/store-built-image.ts'
import { type PlatformRoot, rootsArchive } from './layers/root-archive.ts'
import { annotationsFor } from './parts/annotations.ts'
import type { ExportHost, ExportJob, ExportParts, WantedOutput } from './parts/export-parts.ts'
import { type ImageAttributes, parseFileAttributes, parseImageAttributes } from './parts/image-attributes.ts'
import { scanInThread } from './sbom/scan-in-thread.ts'
import { spdxAttestation } from './sbom/spdx-document.ts'

/** The values for `--metadata-file`. */
export type ExportMetadata = Readonly<Record<string, unknown>>

/** Options of `ImageExporter`. */
export interface ImageExporterOptions {
  /** Berth's version, for documents that name the tool that made them. */
  readonly version: string
}

/** The exporter of all output types. */
export class ImageExporter {
  readonly #parts: ExportParts
  readonly #options: ImageExporterOptions
  readonly #started = new WeakMap<object, string>()

  constructor(parts: ExportParts, options: ImageExporterOptions) {
    this.#parts = parts
    this.#options = options
  }

  /** Notes the time at which a build began, for provenance. */
  begin(request: WantedOutput['request']): void {
    this.#started.set(request, new Date().toISOString())
  }

  /** Makes one output. Gives the values for `--metadata-file`. Throws `invalidArgument` for attributes that the output
   *  does not have. */
  async export(images: readonly BuiltImage[], wanted: WantedOutput, host: ExportHost): Promise<ExportMetadata> {
    const { request } = wanted
    const output = request.targets[wanted.target]?.outputs[wanted.output] ?? { type: 'image', attrs: {} }
    const [first, ...others] = images.map((image) => withInlineCache(image, request))
    if (first === undefined || output.type === 'cacheonly') return {}
    const job: ExportJob = { images: [first, ...others], wanted, host }
    if (output.type === 'tar' || output.type === 'local') return await this.#exportFiles(job, output.type, output.attrs)
    const isIndexed = others.length > 0 || isTrue(request.buildArgs.BUILDKIT_MULTI_PLATFORM)
    if (output.type === 'docker' && isIndexed)
      throw invalidArgument('docker exporter does not currently support exporting manifest lists')
    const attributes = parseImageAttributes(output, { isIndexed })
    using lease = this.#parts.images.leases.create()
    const assembled = await this.#assemble(job, attributes, lease, isIndexed)
    if (output.type === 'oci' || output.type === 'docker') {
      await this.#writeArchive(job, attributes, assembled, output.type)
      return { ...metadataOf(assembled, job, attributes), ...this.#provenanceMetadata(job) }
    }
    const id = await this.#keepAndPush(job, attributes, assembled)
    return { ...metadataOf(assembled, job, attributes), ...this.#provenanceMetadata(job), id }
  }

  /** Exports the caches that a request names, except inline ones, which are part of the image. */
  async exportCaches(request: WantedOutput['request'], stacks: BuiltStacks, host: ExportHost): Promise<void> {
    await exportCaches(this.#parts, request, stacks, host)
  }

  async #assemble(
    job: ExportJob,
    attributes: ImageAttributes,
    lease: Lease,
    isIndexed: boolean,
  ): Promise<AssembledImage> {
    const { images, wanted, host } = job
    const names = namesOf(job, attributes)
    const toAssemble = async (image: BuiltImage): Promise<PartToAssemble> => ({
      image,
      annotations: annotationsFor(image.platform, wanted.request.annotations ?? {}, attributes.annotations),
      attestations: await this.#attestations(image, job, attributes.isSent),
      subjectNames:
        names.length === 0 ? ['_'] : names.map((name) => imagePackageUrl(formatReference(name), image.platform)),
    })
    const parts: [PartToAssemble, ...PartToAssemble[]] = [await toAssemble(images[0])]
    for (const image of images.slice(1)) parts.push(await toAssemble(image))
    return await assembleImage(this.#parts.images, lease, parts, { attributes, isIndexed, signal: host.signal })
  }

  /** Makes the attestations of an image. `inline-only` ones are made only for images that leave the engine
   *  (`isSent`). */
  async #attestations(
    image: BuiltImage,
    { wanted, host }: ExportJob,
    isSent: boolean,
  ): Promise<readonly Attestation[]> {
    const { request } = wanted
    const found: Attestation[] = []
    for (const { type, attrs } of request.attests) {
      if (!isSent && attrs['inline-only'] === 'true') continue
      if (type === 'provenance') found.push(this.#provenance(attrs, image, request))
      else {
        for (const name of Object.keys(attrs).filter((one) => one !== 'inline-only'))
          throw notImplemented(`sbom attribute ${name}`)
        const created = image.config.created ?? new Date().toISOString()
        const options = { name: image.stage ?? 'image', created, toolVersion: this.#options.version }
        found.push(spdxAttestation(await this.#scan(image, host.signal), options))
      }
    }
    return found
  }

  /** With SOURCE_DATE_EPOCH, the same build gives the same bytes. */
  #provenance(attrs: BuildAttestation['attrs'], image: BuiltImage, request: WantedOutput['request']): Attestation {
    const epoch = image.sourceDateEpoch
    if (epoch !== undefined) {
      const time = new Date(epoch * 1000).toISOString()
      const buildId = digestOf(JSON.stringify(image.config)).slice(-25)
      return provenanceOf(attrs, { request, image, buildId, started: time, finished: time })
    }
    const finished = new Date().toISOString()
    const started = this.#started.get(request) ?? finished
    return provenanceOf(attrs, { request, image, buildId: newId().slice(0, 25), started, finished })
  }

  /** The provenance in the form of buildx's metadata file. */
  #provenanceMetadata({ images, wanted: { request } }: ExportJob): ExportMetadata {
    const attrs = request.attests.find(({ type }) => type === 'provenance')?.attrs
    if (attrs === undefined) return {}
    const key = (image: BuiltImage) =>
      `buildx.build.provenance${images.length > 1 ? `/${formatPlatform(image.platform)}` : ''}`
    return Object.fromEntries(images.map((image) => [key(image), this.#provenance(attrs, image, request).predicate]))
  }

  async #scan({ layers }: BuiltImage, signal: AbortSignal) {
    const chainId = layers.at(-1)?.chainId
    if (chainId === undefined) return { distribution: undefined, packages: [] }
    using view = await this.#parts.openView(chainId)
    return await scanInThread(view.path, { signal })
  }

  async #writeArchive(
    job: ExportJob,
    attributes: ImageAttributes,
    assembled: AssembledImage,
    form: 'oci' | 'docker',
  ): Promise<void> {
    const { wanted, host } = job
    const [image] = job.images
    const { 'index-descriptor': annotations } = annotationsFor(
      image.platform,
      wanted.request.annotations ?? {},
      attributes.annotations,
    )
    const names = namesOf(job, attributes)
    const options = { names, form, annotations, created: image.config.created }
    const archive = imageArchive(this.#parts.images.content, assembled, options)
    const sink = await openOutput(job, attributes.tar ? 'file' : 'tar')
    await copyTo(sink, archive.chunks({ signal: host.signal }))
  }

  /** Keeps and pushes the image. Gives the id of the image that fits this host best, when the engine keeps any. */
  async #keepAndPush(job: ExportJob, attributes: ImageAttributes, assembled: AssembledImage): Promise<string> {
    const { host, wanted } = job
    const { images, pushes, events } = this.#parts
    const names = namesOf(job, attributes)
    if (attributes.push && names.length === 0) throw invalidArgument('tag is needed when pushing to registry')
    const record = attributes.store ? storeBuiltImage(images, assembled, names) : undefined
    const shown = names.map((name) => familiarReference(name))
    const id = record?.id ?? assembled.parts[0].config.descriptor.digest
    if (record !== undefined) for (const name of shown) events.publish('image', 'tag', id, { name })
    host.emit({ type: 'aux', target: wanted.target, id, manifest: assembled.top.descriptor, tags: shown })
    if (!attributes.push) return id
    for (const name of names) {
      const onStatus = (layer: string, current: number, total: number) =>
        host.emit({
          type: 'status',
          vertex: `export ${wanted.target}.${wanted.output}`,
          id: `pushing ${layer}`,
          current,
          total,
        })
      await pushBuiltImage(pushes.pushParts, images.registries, assembled, name, {
        host,
        byDigest: attributes.pushByDigest,
        onStatus,
      })
      if (record !== undefined)
        images.store.put(images.store.findRecord(record.id) ?? record, [
          { reference: pushedName(name, assembled), target: assembled.top.descriptor },
        ])
      events.publish('image', 'push', familiarReference(name), { name: familiarName(name) })
    }
    return id
  }

  async #exportFiles(
    job: ExportJob,
    type: 'tar' | 'local',
    attrs: Readonly<Record<string, string>>,
  ): Promise<ExportMetadata> {
    const { images, host } = job
    const isSplit = parseFileAttributes(type, attrs) ?? images.length > 1
    using views = new DisposableStack()
    const roots: PlatformRoot[] = []
    for (const image of images) {
      const platform = formatPlatform(image.platform)
      const shown = platform.replaceAll('/', '_')
      const chainId = image.layers.at(-1)?.chainId
      const view = chainId === undefined ? undefined : views.use(await this.#parts.openView(chainId))
      roots.push({
        path: view?.path,
        directory: isSplit ? shown : '',
        platform,
        extra: await this.#statementFiles(image, job, isSplit || images.length === 1 ? '' : `.${shown}`),
      })
    }
    const sink = await openOutput(job, type === 'tar' ? 'file' : 'tar')
    await copyTo(sink, rootsArchive(roots, { signal: host.signal, epoch: images[0].sourceDateEpoch }))
    return this.#provenanceMetadata(job)
  }

  async #statementFiles(image: BuiltImage, job: ExportJob, suffix: string): Promise<ReadonlyMap<string, Buffer>> {
    const files = new Map<string, Buffer>()
    for (const one of await this.#attestations(image, job, false)) {
      const name = one.predicateType === 'https://spdx.dev/Document' ? 'sbom.spdx' : 'provenance'
      files.set(`${name}${suffix}.json`, formatStatement(one, []))
    }
    return files
  }
}

/** The names of an output: its own, else those of the target. */
function namesOf({ wanted }: ExportJob, { names }: ImageAttributes): readonly Reference[] {
  const given = names ?? wanted.request.targets[wanted.target]?.tags ?? []
  return given.map((name) => nameFrom(name))
}

function isTrue(text: string | undefined): boolean {
  return /^(1|true)$/i.test(text ?? '')
}

async function openOutput({ wanted, host }: ExportJob, form: 'tar' | 'file'): Promise<BuildByteSink> {
  if (host.openOutput === undefined) throw notImplemented('build output to this client')
  return await host.openOutput(wanted.target, wanted.output, form)
}

async function copyTo(sink: BuildByteSink, chunks: AsyncIterable<Buffer>): Promise<void> {
  for await (const chunk of chunks) await sink.write(chunk)
  await sink.end()
}

/** Adds the keys of the layers to the image's configuration, when the request asks for an inline cache. */
function withInlineCache(image: BuiltImage, { cacheTo, buildArgs }: WantedOutput['request']): BuiltImage {
  const isWanted = cacheTo.some(({ type }) => type === 'inline') || isTrue(buildArgs.BUILDKIT_INLINE_CACHE)
  if (!isWanted) return image
  const keys = image.layers.map(({ key }) => key)
  const records = formatInlineRecords(keys, image.config.created ?? new Date().toISOString())
  const config: BuiltImage['config'] = { ...image.config, ...{ [inlineCacheMember]: records } }
  return { ...image, config }
}

/** The metadata of an image. Only an image for a single platform has a configuration digest. Clients name an image by
 *  that digest if it is there, otherwise by its manifest's. */
function metadataOf({ parts, top }: AssembledImage, job: ExportJob, attributes: ImageAttributes): ExportMetadata {
  const names = namesOf(job, attributes)
  return {
    ...(parts.length > 1 || attributes.preferImageDigest
      ? {}
      : { 'containerimage.config.digest': parts[0].config.descriptor.digest }),
    'containerimage.descriptor': top.descriptor,
    'containerimage.digest': top.descriptor.digest,
    ...(names.length === 0 ? {} : { 'image.name': names.map(formatReference).join(',') }),
  }
}
