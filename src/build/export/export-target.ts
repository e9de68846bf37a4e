/** Exports a built target: makes each of its outputs and reports it to the client. */
import type { BuildOutputType, BuildRequest } from '../../api/index.ts'
import { type Digest, isDigest } from '../../oci/index.ts'
import type { BuildHost } from '../host/build-host.ts'
import type { BuiltImage } from '../model/built-image.ts'
import type { Vertexes } from '../model/vertexes.ts'
import type { BuiltStacks } from './cache/cache-exporter.ts'

/** Makes outputs and caches from built images. `ImageExporter` implements it. */
export interface BuildExporter {
  /** Called when a build begins. */
  begin(request: BuildRequest): void
  /** Makes one output of a target, which has one image per platform. Gives the values for the client's
   *  `--metadata-file`. */
  export(
    images: readonly BuiltImage[],
    wanted: { readonly target: number; readonly output: number; readonly request: BuildRequest },
    host: BuildHost,
  ): Promise<Readonly<Record<string, unknown>>>
  /** Exports the caches that the request names. */
  exportCaches(request: BuildRequest, stacks: BuiltStacks, host: BuildHost): Promise<void>
}

/** What `exportTarget` works with. */
export interface TargetExport {
  readonly exporter: BuildExporter
  readonly request: BuildRequest
  readonly host: BuildHost
  readonly vertexes: Vertexes
}

/** Makes all outputs of a target. Gives the id of the image in the engine's store, or undefined when no output leaves
 *  one there. */
export async function exportTarget(
  { exporter, request, host, vertexes }: TargetExport,
  target: number,
  images: readonly BuiltImage[],
): Promise<Digest | undefined> {
  const wanted = request.targets[target]
  const outputs = wanted === undefined || wanted.outputs.length === 0 ? [imageOutput] : wanted.outputs
  let id: Digest | undefined
  for (const [output, { type }] of outputs.entries()) {
    if (type === 'cacheonly') continue
    const vertex = vertexes.begin(`export ${target}.${output}`, exportNames[type])
    try {
      const { [storedImageId]: made, ...values } = await exporter.export(images, { target, output, request }, host)
      vertex.done()
      if (type === 'image' && isDigest(made)) id = made
      host.emit({ type: 'metadata', target, values })
    } catch (error) {
      vertex.fail(error)
      throw error
    }
  }
  return id
}

/** The key under which an exporter returns the id of the stored image. It does not go into the client's metadata
 *  file. */
const storedImageId = 'id'

const imageOutput = { type: 'image', attrs: {} } as const

const exportNames: Readonly<Record<Exclude<BuildOutputType, 'cacheonly'>, string>> = {
  image: 'exporting to image',
  registry: 'exporting to image',
  docker: 'exporting to docker image format',
  oci: 'exporting to oci image format',
  tar: 'exporting to client tarball',
  local: 'exporting to client directory',
}
