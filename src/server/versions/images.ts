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

/** The version in whose shape an image is shown. docker-compose 1.x, which no one mends any more, asks for the newest
 *  version and needs the fields that went with 1.45. */
export function shapeVersion(apiVersion: string, headers: Readonly<Record<string, unknown>>): string {
  const isOldCompose = /^docker-compose\/1\./.test(String(headers['user-agent'] ?? ''))
  return isOldCompose && compareApiVersions(apiVersion, '1.44') > 0 ? '1.44' : apiVersion
}

/** An inspected image. Before 1.45 there were the container that it was made from, of which nothing is known, and that
 *  one's configuration: docker-compose 1.29 looks there for the image's volumes. */
export function downgradeImageInspect(image: ImageInspect, apiVersion: string): ImageInspect {
  if (compareApiVersions(apiVersion, '1.45') >= 0) return image
  const withContainer = { ...image, Container: '', ContainerConfig: image.Config ?? {} }
  if (compareApiVersions(apiVersion, '1.44') >= 0) return withContainer
  return Object.assign(withContainer, { VirtualSize: image.Size })
}
