/** Images between the layers: for the API, for containers, and the use of images by containers. */
import type { ContainerImages, ContainerIndex } from '../containers/index.ts'
import { helloImage } from '../images/hello/index.ts'
import { commitImage, type ImagePushes, type Images, type ImageUse, importEmbedded } from '../images/index.ts'
import { familiarReference, hostPlatform, parsePlatform, parseReference, withDefaultTag } from '../oci/index.ts'
import type { ImageBackend } from '../server/index.ts'

/** The image that every engine carries with it. */
const embeddedName = 'hello:latest'

/** Images as the API calls them. */
export function imageBackend(images: Images, pushes: ImagePushes): ImageBackend {
  return {
    async pull(reference, options) {
      if (familiarReference(withDefaultTag(parseReference(reference))) !== embeddedName) {
        return images.pull(reference, options)
      }
      await importHello(images)
      options.onProgress({ status: 'Taken from the engine, which carries this image', id: 'latest' })
      options.onProgress({ status: `Status: Image is ready for ${embeddedName}` })
    },
    push: (reference, options) => pushes.push(reference, options),
    load: (source, options) => images.load(source, options),
    import: (request, options) => images.import(request, options),
    save: (names, { platform }) => images.save(names, { platform }),
    list: (options) => images.catalog.list(options),
    inspect: (name, options) => images.catalog.inspect(name, options),
    history: (name, options) => images.catalog.history(name, options),
    tag: (name, repository, tag) => images.tag(name, repository, tag),
    remove: (name, options) => images.removals.remove(name, options),
    prune: (filters) => images.removals.prune(filters),
  }
}

async function importHello(images: Images): Promise<void> {
  const { architecture } = hostPlatform()
  const { config, layerTar } = helloImage(architecture === 'arm64' ? 'arm64' : 'amd64')
  await importEmbedded(images.parts, embeddedName, { created: config.created, defaults: config.config }, layerTar)
}

/** Images as containers see them. */
export function containerImages({ store, parts }: Images): ContainerImages {
  return {
    commit: (request) => commitImage(parts, request),
    resolve: (reference, platform) =>
      store.resolve(reference, {
        platform: platform === undefined || platform === '' ? undefined : parsePlatform(platform),
      }),
    withChildren(reference) {
      const ids = new Set<string>([store.resolve(reference).id])
      // Parents come before their children in no particular order: go on until nothing is added.
      for (let before = 0; before !== ids.size; ) {
        before = ids.size
        for (const record of store.records())
          if (record.parent !== undefined && ids.has(record.parent)) ids.add(record.id)
      }
      return ids
    },
  }
}

/** Between two runs of a restart policy a container counts as running. */
function isUp(status: string): boolean {
  return status === 'running' || status === 'paused' || status === 'restarting'
}

/** Which containers keep an image from being removed. */
export function imageUse(index: ContainerIndex): ImageUse {
  return {
    containersUsing: (imageId) =>
      index
        .all()
        .filter((record) => record.image.id === imageId || record.mounts.some(({ image }) => image?.id === imageId))
        .map((record) => ({ id: record.id, name: record.name, running: isUp(record.state.status) })),
  }
}
