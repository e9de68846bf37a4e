/** The use of images by containers, which the removal of images asks for. */
import type { ImageUse } from '../../images/index.ts'
import type { ContainerIndex } from '../record/container-index.ts'
import { isActive } from '../record/state.ts'

/** Which containers keep an image from being removed. A container between two runs of its restart policy counts as
 *  running. */
export function imageUse(index: ContainerIndex): ImageUse {
  return {
    containersUsing: (imageId) =>
      index
        .all()
        .filter((record) => record.image.id === imageId || record.mounts.some(({ image }) => image?.id === imageId))
        .map((record) => ({ id: record.id, name: record.name, running: isActive(record.state.status) })),
  }
}
