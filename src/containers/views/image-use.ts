/** Which containers use an image. The removal of images asks for this. */
import type { ImageUse } from '../../images/index.ts'
import type { ContainerIndex } from '../record/container-index.ts'
import { isActive } from '../record/state.ts'

/** Gives the look-up of the containers that keep an image from being removed: those made from it, and those that mount
 *  it. A container that waits for a restart by policy counts as running. */
export function imageUse(index: ContainerIndex): ImageUse {
  return {
    containersUsing: (imageId) =>
      index
        .all()
        .filter((record) => record.image.id === imageId || record.mounts.some(({ image }) => image?.id === imageId))
        .map((record) => ({ id: record.id, name: record.name, running: isActive(record.state.status) })),
  }
}
