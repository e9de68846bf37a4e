/** The verbs of images, as the API server and embedders call them. */
import type { ImageBackend } from '../contract/index.ts'
import type { Images } from './images.ts'
import type { ImagePushes } from './registry/image-pushes.ts'

/** Makes the verbs. */
export function imageService(images: Images, pushes: ImagePushes): ImageBackend {
  return {
    pull: (reference, options) => images.pull(reference, options),
    push: (reference, options) => pushes.push(reference, options),
    load: (source, options) => images.load(source, options),
    import: (request, options) => images.import(request, options),
    save: (names, options) => images.save(names, options),
    list: (options) => images.catalog.list(options),
    inspect: (name, options) => images.catalog.inspect(name, options),
    history: (name, options) => images.catalog.history(name, options),
    tag: (name, repository, tag) => images.tag(name, repository, tag),
    remove: (name, options) => images.removals.remove(name, options),
    prune: (filters) => images.removals.prune(filters),
  }
}
