/** Images in the shapes of older API versions. */
import { compareApiVersions, type ImageInspect, type ImageSummary } from '../../api/index.ts'

/** An entry of the list. `VirtualSize` went in 1.44; before 1.43 an image without names had `<none>` ones. */
export function downgradeImageSummary(image: ImageSummary, apiVersion: string): ImageSummary {
  if (compareApiVersions(apiVersion, '1.44') >= 0) return image
  const withSize = { ...image, VirtualSize: image.Size }
  if (compareApiVersions(apiVersion, '1.43') >= 0 || image.RepoTags.length + image.RepoDigests.length > 0)
    return withSize
  return { ...withSize, RepoTags: ['<none>:<none>'], RepoDigests: ['<none>@<none>'] }
}

/** An inspected image. */
export function downgradeImageInspect(image: ImageInspect, apiVersion: string): ImageInspect {
  if (compareApiVersions(apiVersion, '1.44') >= 0) return image
  return Object.assign({ ...image }, { VirtualSize: image.Size })
}
