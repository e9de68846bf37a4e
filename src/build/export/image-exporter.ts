/** Makes of a build's result what `--output` asks for: images in the store and in registries, archives, directories. */
import { invalidArgument, newId, notImplemented } from '../../base/index.ts'
import type { Lease } from '../../content/index.ts'
import { nameFrom } from '../../images/index.ts'
import { familiarName, familiarReference, formatReference, type Reference } from '../../oci/index.ts'
import type { BuiltImage, ByteSink } from '../built-image.ts'
import { annotationsFor } from './annotations.ts'
import { type AssembledImage, assembleImage } from './assemble-image.ts'
import { type Attestation, formatStatement } from './attestation-manifest.ts'
import { formatInlineRecords, inlineCacheMember } from './cache/cache-config.ts'
import { type BuiltStacks, exportCaches } from './cache/cache-exporter.ts'
import type { ExportHost, ExportJob, ExportParts, WantedOutput } from './export-parts.ts'
import { imageArchive } from './image-archive.ts'
import { type ImageAttributes, parseImageAttributes } from './image-attributes.ts'
import { imagePackageUrl, provenanceOf } from './provenance.ts'
import { pushBuiltImage, pushedName } from './push-built-image.ts'
import { rootArchive } from './root-archive.ts'
import { scanPackages } from './sbom/scan-packages.ts'
import { spdxAttestation } from './sbom/spdx-document.ts'
import { storeBuiltImage } from './store-built-image.ts'

/** What `--metadata-file` says. */
export type ExportMetadata = Readonly<Record<string, unknown>>

export interface ImageExporterOptions {
  /** Named by documents that say who made them. */
  readonly version: string
}

export class ImageExporter {
  readonly #parts: ExportParts
  readonly #options: ImageExporterOptions
  readonly #started = new WeakMap<object, string>()

  constructor(parts: ExportParts, options: ImageExporterOptions) {
    this.#parts = parts
    this.#options = options
  }

  /** Notes when a build began; provenance says it. */
  begin(request: WantedOutput['request']): void {
    this.#started.set(request, new Date().toISOString())
  }

  /** Makes one output. Throws `invalidArgument` for attributes that the output doesn't have. */
  async export(image: BuiltImage, wanted: WantedOutput, host: ExportHost): Promise<ExportMetadata> {
    const output = wanted.request.targets[wanted.target]?.outputs[wanted.output] ?? { type: 'image', attrs: {} }
    const job = { image: withInlineCache(image, wanted.request), wanted, host }
    if (output.type === 'cacheonly') return {}
    if (output.type === 'tar' || output.type === 'local') return await this.#exportFiles(job, output.type, output.attrs)
    const attributes = parseImageAttributes(output)
    using lease = this.#parts.images.leases.create()
    const assembled = await this.#assemble(job, attributes, lease)
    if (output.type === 'oci' || output.type === 'docker')
      await this.#writeArchive(job, attributes, assembled, output.type)
    else await this.#keepAndPush(job, attributes, assembled)
    return metadataOf(assembled, namesOf(job, attributes))
  }

  /** Makes the caches that a request names, but inline ones, which are part of the image. */
  async exportCaches(request: WantedOutput['request'], stacks: BuiltStacks, host: ExportHost): Promise<void> {
    await exportCaches(this.#parts, request, stacks, host)
  }

  async #assemble(job: ExportJob, attributes: ImageAttributes, lease: Lease): Promise<AssembledImage> {
    const { image, wanted, host } = job
    const names = namesOf(job, attributes)
    const shown =
      names.length === 0 ? ['_'] : names.map((name) => imagePackageUrl(formatReference(name), image.platform))
    return await assembleImage(this.#parts.images, lease, image, {
      attributes,
      annotations: annotationsFor(image.platform, wanted.request.annotations ?? {}, attributes.annotations),
      attestations: await this.#attestations(job),
      subjectNames: shown,
      signal: host.signal,
    })
  }

  async #attestations({ image, wanted, host }: ExportJob): Promise<readonly Attestation[]> {
    const { request } = wanted
    const found: Attestation[] = []
    const finished = new Date().toISOString()
    for (const { type, attrs } of request.attests) {
      if (type === 'provenance') {
        const started = this.#started.get(request) ?? finished
        found.push(provenanceOf(attrs, { request, image, buildId: newId().slice(0, 25), started, finished }))
      } else {
        for (const name of Object.keys(attrs)) throw notImplemented(`sbom attribute ${name}`)
        const created = image.config.created ?? finished
        const options = { name: image.stage ?? 'image', created, toolVersion: this.#options.version }
        found.push(spdxAttestation(await this.#scan(image, host.signal), options))
      }
    }
    return found
  }

  async #scan({ layers }: BuiltImage, signal: AbortSignal) {
    const chainId = layers.at(-1)?.chainId
    if (chainId === undefined) return { distribution: undefined, packages: [] }
    using view = await this.#parts.openView(chainId)
    return await scanPackages(view.path, { signal })
  }

  async #writeArchive(
    job: ExportJob,
    attributes: ImageAttributes,
    assembled: AssembledImage,
    form: 'oci' | 'docker',
  ): Promise<void> {
    const { image, wanted, host } = job
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

  async #keepAndPush(job: ExportJob, attributes: ImageAttributes, assembled: AssembledImage): Promise<void> {
    const { image, host, wanted } = job
    const { images, pushes, events } = this.#parts
    const names = namesOf(job, attributes)
    if (attributes.push && names.length === 0) throw invalidArgument('tag is needed when pushing to registry')
    const record = attributes.store ? storeBuiltImage(images, image, assembled, names) : undefined
    const shown = names.map((name) => familiarReference(name))
    const id = assembled.config.descriptor.digest
    if (record !== undefined) for (const name of shown) events.publish('image', 'tag', id, { name })
    host.emit({ type: 'aux', target: wanted.target, id, manifest: assembled.top.descriptor, tags: shown })
    if (!attributes.push) return
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
        images.store.put(record, [{ reference: pushedName(name, assembled), target: assembled.top.descriptor }])
      events.publish('image', 'push', familiarReference(name), { name: familiarName(name) })
    }
  }

  async #exportFiles(
    job: ExportJob,
    type: 'tar' | 'local',
    attrs: Readonly<Record<string, string>>,
  ): Promise<ExportMetadata> {
    const { image, host } = job
    for (const name of Object.keys(attrs))
      throw invalidArgument(`unknown option ${JSON.stringify(name)} for the ${type} exporter`)
    const extra = new Map<string, Buffer>()
    for (const one of await this.#attestations(job)) {
      const name = one.predicateType === 'https://spdx.dev/Document' ? 'sbom.spdx.json' : 'provenance.json'
      extra.set(name, formatStatement(one, []))
    }
    const sink = await openOutput(job, type === 'tar' ? 'file' : 'tar')
    const chainId = image.layers.at(-1)?.chainId
    using view = chainId === undefined ? undefined : await this.#parts.openView(chainId)
    await copyTo(sink, rootArchive(view?.path, { signal: host.signal, epoch: image.sourceDateEpoch, extra }))
    return {}
  }
}

/** The names of an output: its own, else the target's. */
function namesOf({ wanted }: ExportJob, { names }: ImageAttributes): readonly Reference[] {
  const given = names ?? wanted.request.targets[wanted.target]?.tags ?? []
  return given.map(nameFrom)
}

async function openOutput({ wanted, host }: ExportJob, form: 'tar' | 'file'): Promise<ByteSink> {
  if (host.openOutput === undefined) throw notImplemented('build output to this client')
  return await host.openOutput(wanted.target, wanted.output, form)
}

async function copyTo(sink: ByteSink, chunks: AsyncIterable<Buffer>): Promise<void> {
  for await (const chunk of chunks) await sink.write(chunk)
  await sink.end()
}

/** The image with the keys of its layers in its configuration, when a cache of that kind is asked for. */
function withInlineCache(image: BuiltImage, { cacheTo, buildArgs }: WantedOutput['request']): BuiltImage {
  const isWanted =
    cacheTo.some(({ type }) => type === 'inline') || /^(1|true)$/i.test(buildArgs.BUILDKIT_INLINE_CACHE ?? '')
  if (!isWanted) return image
  const keys = image.layers.map(({ key }) => key)
  const records = formatInlineRecords(keys, image.config.created ?? new Date().toISOString())
  const config: BuiltImage['config'] = { ...image.config, ...{ [inlineCacheMember]: records } }
  return { ...image, config }
}

function metadataOf({ config, top }: AssembledImage, names: readonly Reference[]): ExportMetadata {
  return {
    'containerimage.config.digest': config.descriptor.digest,
    'containerimage.descriptor': top.descriptor,
    'containerimage.digest': top.descriptor.digest,
    ...(names.length === 0 ? {} : { 'image.name': names.map(formatReference).join(',') }),
  }
}
