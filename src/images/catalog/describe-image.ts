/** Describes images in the API's form: inspect and history. */
import { dirname, join } from 'node:path'
import type { DriverData, ImageHistoryItem, ImageInspect } from '../../api/index.ts'
import { isKind, zeroTime } from '../../base/index.ts'
import type { Digest } from '../../oci/index.ts'
import type { Image } from './image.ts'
import { unixSeconds } from './list-images.ts'

/** What `inspectImage` needs besides the image. */
export interface DescribeOptions {
  /** The directory of a layer's files. Throws `notFound` when the layer is gone. */
  readonly directory: (chainId: Digest) => string
  /** Fields about its manifests, when the client asked for them. */
  readonly manifests?: Pick<ImageInspect, 'Descriptor' | 'Manifests'>
}

/** The answer of `GET /images/{name}/json`. */
export function inspectImage(image: Image, { directory, manifests }: DescribeOptions): ImageInspect {
  const { config } = image
  const osVersion = config['os.version']
  return {
    Id: image.id,
    RepoTags: image.references,
    RepoDigests: image.digests,
    Parent: image.parent ?? '',
    Comment: config.comment ?? config.history?.at(-1)?.comment ?? '',
    ...(image.created === zeroTime ? {} : { Created: image.created }),
    DockerVersion: config.docker_version ?? '',
    Author: config.author ?? '',
    Config: config.config ?? null,
    Architecture: config.architecture,
    ...(config.variant === undefined || config.variant === '' ? {} : { Variant: config.variant }),
    Os: config.os === '' ? 'linux' : config.os,
    ...(osVersion === undefined ? {} : { OsVersion: osVersion }),
    Size: image.sizeBytes,
    GraphDriver: { Data: layerDirectories(image, directory), Name: 'overlay2' },
    RootFS: { Type: 'layers', Layers: image.layers.map((layer) => layer.diffId) },
    Metadata: { LastTagTime: image.lastTagTime === '' ? zeroTime : image.lastTagTime },
    ...manifests,
  }
}

/** The directories of the layers, in the form of dockerd's overlay2. */
function layerDirectories({ layers }: Image, directory: (chainId: Digest) => string): DriverData['Data'] {
  try {
    const [upper, ...lower] = layers.map(({ chainId }) => directory(chainId)).reverse()
    if (upper === undefined) return null
    return {
      ...(lower.length === 0 ? {} : { LowerDir: lower.join(':') }),
      MergedDir: join(dirname(upper), 'merged'),
      UpperDir: upper,
      WorkDir: join(dirname(upper), 'work'),
    }
  } catch (error) {
    // `system check` reports a layer whose files are gone; `inspect` then shows no directories.
    if (isKind(error, 'notFound')) return null
    throw error
  }
}

/** The answer of `GET /images/{name}/history`, newest step first. Each step has the id of the image that it made, as
 *  far as the chain of parents is stored here. Layers without an entry in the history get an empty one. */
export function imageHistory(image: Image, find: (id: Digest) => Image | undefined): ImageHistoryItem[] {
  const entries = image.config.history ?? []
  const items: ImageHistoryItem[] = []
  let next = 0
  for (const entry of entries) {
    const layer = entry.empty_layer === true ? undefined : image.layers[next]
    if (entry.empty_layer !== true) next += 1
    items.push({
      Id: '<missing>',
      Created: unixSeconds(entry.created ?? ''),
      CreatedBy: entry.created_by ?? '',
      Tags: null,
      Size: layer?.sizeBytes ?? 0,
      Comment: entry.comment ?? '',
    })
  }
  for (const layer of image.layers.slice(next)) {
    items.push({ Id: '<missing>', Created: 0, CreatedBy: '', Tags: null, Size: layer.sizeBytes, Comment: '' })
  }
  items.reverse()
  let made: Image | undefined = image
  return items.map((item) => {
    if (made === undefined) return item
    const { id, references, parent }: Image = made
    made = parent === undefined ? undefined : find(parent)
    return { ...item, Id: id, Tags: references.length === 0 ? null : references }
  })
}
