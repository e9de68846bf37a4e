/** Reads which images an archive has: manifest.json of a docker-archive, or index.json of an OCI image layout.
 *  https://github.com/opencontainers/image-spec/blob/main/image-layout.md */
import { invalidArgument } from '../../base/index.ts'
import {
  bestPlatform,
  type Descriptor,
  digestOf,
  hexOf,
  hostPlatform,
  isIndexType,
  isObject,
  type Platform,
  parseManifestDocument,
  parseReference,
  type Reference,
  withDefaultTag,
} from '../../oci/index.ts'
import { blobPath, layoutImage, readWholeIndex } from './archive-index.ts'
import type { ArchivedImage, ReadMember } from './archived-image.ts'

/** Annotations that can have a name, the most complete one first. */
const nameKeys = ['io.containerd.image.name', 'org.opencontainers.image.ref.name'] as const

/** The images of an archive. Throws `invalidArgument` when it is not an archive that can be loaded. */
export function readArchiveManifest(read: ReadMember, platform: Platform = hostPlatform()): ArchivedImage[] {
  const manifest = read('manifest.json')
  const index = read('index.json')
  const layout = index === undefined ? [] : readLayout(read, index, platform)
  if (manifest === undefined) {
    if (index === undefined) {
      throw invalidArgument('unrecognized image format: the archive has neither manifest.json nor index.json')
    }
    return layout
  }
  return readDockerManifest(manifest).map((image) => {
    // Newer archives have both files. The layout's manifest is preferred, because it has the digest that the image
    // has in its registry.
    const config = read(image.configPath)
    const twin = config && layout.find((one) => one.configPath === `blobs/sha256/${hexOf(digestOf(config))}`)
    const isSame = twin !== undefined && twin.layers.length === image.layers.length
    return isSame && twin.manifest !== undefined && twin.layers.every(({ path }) => path !== '')
      ? { ...twin, references: image.references }
      : image
  })
}

function readDockerManifest(bytes: Buffer): ArchivedImage[] {
  const value = parseJson(bytes, 'manifest.json')
  if (!Array.isArray(value)) throw invalidArgument('invalid archive: manifest.json is not a list')
  return value.map((one: unknown) => {
    if (!isObject(one) || typeof one.Config !== 'string' || !Array.isArray(one.Layers ?? [])) {
      throw invalidArgument('invalid archive: manifest.json has an entry without Config')
    }
    const layers = Array.isArray(one.Layers) ? one.Layers : []
    const tags = Array.isArray(one.RepoTags) ? one.RepoTags : []
    return {
      configPath: one.Config,
      layers: layers.map((path) => ({ path: String(path) })),
      references: tags.map((tag) => parseTag(String(tag))),
    }
  })
}

function parseTag(text: string): Reference {
  const { registry, repository, tag } = parseReference(text)
  if (tag === undefined) throw invalidArgument(`invalid tag ${JSON.stringify(text)}`)
  return { registry, repository, tag }
}

function readLayout(read: ReadMember, indexBytes: Buffer, platform: Platform): ArchivedImage[] {
  const images: ArchivedImage[] = []
  const document = parseManifestDocument(indexBytes)
  if (document.type !== 'index') throw invalidArgument('invalid archive: index.json is not an index')
  for (const descriptor of ofPlatform(document.index.manifests, platform)) {
    const image = readLayoutImage(read, descriptor, platform, 0)
    if (image !== undefined) images.push({ ...image, references: referencesOf(descriptor) })
  }
  return mergeNames(images)
}

/** If several manifests have the same name, one per platform, keeps only the best one. */
function ofPlatform(manifests: readonly Descriptor[], platform: Platform): Descriptor[] {
  const groups = Map.groupBy(
    manifests,
    ({ annotations = {} }) => annotations[nameKeys[0]] ?? annotations[nameKeys[1]] ?? '',
  )
  return [...groups.values()].flatMap((group) => {
    if (group.length === 1 || group.some((one) => one.platform === undefined)) return group
    const best = bestPlatform(platform, group, (one) => one.platform)
    return best === undefined ? [] : [best]
  })
}

/** The image of a descriptor; undefined when the layout lacks its blob, as for other platforms' manifests. */
function readLayoutImage(
  read: ReadMember,
  descriptor: Descriptor,
  platform: Platform,
  depth: number,
): ArchivedImage | undefined {
  const bytes = read(blobPath(descriptor))
  if (bytes === undefined || depth > 2) return undefined
  if (digestOf(bytes) !== descriptor.digest) throw invalidArgument(`invalid archive: ${descriptor.digest} is damaged`)
  const document = parseManifestDocument(bytes, descriptor.mediaType)
  if (document.type === 'index') {
    const present = document.index.manifests.filter((one) => read(blobPath(one)) !== undefined)
    const entry =
      bestPlatform(platform, present, (one) => one.platform) ?? (present.length === 1 ? present[0] : undefined)
    const image = entry === undefined ? undefined : readLayoutImage(read, entry, platform, depth + 1)
    if (entry === undefined || image === undefined || isIndexType(entry.mediaType)) return image
    const { digest } = descriptor
    const whole = { bytes, descriptor: { mediaType: '', digest, size: bytes.length }, index: document.index }
    const index = readWholeIndex(read, whole, entry)
    return index === undefined ? image : { ...image, index }
  }
  return layoutImage(document.manifest, bytes, descriptor)
}

function referencesOf({ annotations = {} }: Descriptor): Reference[] {
  const [full, short] = nameKeys.map((key) => annotations[key])
  if (full !== undefined) return [withDefaultTag(parseReference(full))]
  if (short === undefined) return []
  try {
    // The name of the repository is missing in a bare tag. Other tools write full names.
    return /[/:]/.test(short) ? [withDefaultTag(parseReference(short))] : []
  } catch {
    return [] // The annotation may hold any text.
  }
}

/** Merges entries: a layout lists the same manifest once for each of its names. */
function mergeNames(images: readonly ArchivedImage[]): ArchivedImage[] {
  const merged = new Map<string, ArchivedImage>()
  for (const image of images) {
    const key = image.manifest?.descriptor.digest ?? image.configPath
    const known = merged.get(key)
    merged.set(key, known === undefined ? image : { ...known, references: [...known.references, ...image.references] })
  }
  return [...merged.values()]
}

function parseJson(bytes: Buffer, name: string): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch (cause) {
    throw invalidArgument(`invalid archive: ${name} is not JSON`, { cause })
  }
}
