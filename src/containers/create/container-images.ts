/** Images as containers use them. */
import { commitImage, type Images } from '../../images/index.ts'
import { parsePlatform } from '../../oci/index.ts'
import type { ContainerImages } from '../record/dependencies.ts'

/** Makes the functions by which containers find and commit images. `ContainerImages` describes them. */
export function containerImages({ store, parts }: Images): ContainerImages {
  return {
    commit: (request) => commitImage(parts, request),
    resolve: (reference, platform) =>
      store.resolve(reference, {
        platform: platform === undefined || platform === '' ? undefined : parsePlatform(platform),
      }),
    withChildren(reference) {
      const ids = new Set<string>([store.resolve(reference).id])
      // Images come in no particular order, so repeat until no child is added.
      for (let before = 0; before !== ids.size; ) {
        before = ids.size
        for (const record of store.records())
          if (record.parent !== undefined && ids.has(record.parent)) ids.add(record.id)
      }
      return ids
    },
  }
}
