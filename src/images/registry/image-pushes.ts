/** Pushes images to registries: the verb of the API. */
import type { PullOptions } from '../../contract/index.ts'
import type { EventBus } from '../../events/index.ts'
import { familiarName, familiarReference, parsePlatform, parseReference } from '../../oci/index.ts'
import type { ImageRecord } from '../catalog/image.ts'
import type { ImageGarbage } from '../gc/collect-garbage.ts'
import type { PushParts } from './push-blobs.ts'
import { type PushDependencies, pushImage } from './push-image.ts'
import { registryAuthOf } from './registry-auth.ts'
import { UploadSlots } from './upload-slots.ts'

/** What pushes need. */
export interface ImagePushesOptions {
  readonly parts: Omit<PushDependencies, 'uploads' | 'onReplaced'> & { readonly garbage: ImageGarbage }
  readonly events: EventBus
  /** Number of layers uploaded at a time, over all pushes. */
  readonly maxConcurrentUploads?: number
}

const defaultUploads = 5

/** Pushes images and publishes the events. */
export class ImagePushes {
  readonly #options: ImagePushesOptions
  readonly #uploads: UploadSlots

  constructor(options: ImagePushesOptions) {
    this.#options = options
    this.#uploads = new UploadSlots(options.maxConcurrentUploads ?? defaultUploads)
  }

  /** For pushes elsewhere: builds. */
  get pushParts(): PushParts {
    const { store, content } = this.#options.parts
    return { store, content, uploads: this.#uploads }
  }

  /** Pushes `name:tag`, or all tags of a name without one. Throws `notFound` for a name that is not here, and the
   *  errors of the registry. */
  async push(text: string, { platform, auth, onProgress, signal }: PullOptions = {}): Promise<void> {
    const { parts, events } = this.#options
    const reference = parseReference(text)
    const replaced: ImageRecord[] = []
    const onReplaced = (before: ImageRecord) => void replaced.push(before)
    try {
      await pushImage({ ...parts, uploads: this.#uploads, onReplaced }, reference, {
        onProgress,
        signal,
        platform: platform === undefined || platform === '' ? undefined : parsePlatform(platform),
        auth: registryAuthOf(auth),
      })
    } finally {
      if (replaced.length > 0) await parts.garbage.collectOf(replaced)
    }
    events.publish('image', 'push', familiarReference(reference), { name: familiarName(reference) })
  }

  /** Applies a changed setting. */
  configure(maxConcurrentUploads = defaultUploads): void {
    this.#uploads.resize(maxConcurrentUploads)
  }
}
