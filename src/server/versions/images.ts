/** Images in the shapes of older API versions. */
import { compareApiVersions, type ImageInspect, type ImageSummary } from '../../api/index.ts'
import { completeFields, containerConfigFields } from '../containers/fields.ts'

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

/** Before 1.50 an image's configuration had all members of a container's, set or not. */
function withContainerFields(config: ImageInspect['Config']): NonNullable<ImageInspect['Config']> {
  const known: Readonly<Record<string, unknown>> = { Image: '', ...config }
  const complete = completeFields(known, containerConfigFields)
  // The engine's own value of a container, not an image's.
  return { ...complete, Labels: config?.Labels ?? null }
}

/** An inspected image. Before 1.45 there were the container that it was made from, of which nothing is known, and that
 *  one's configuration: docker-compose 1.29 looks there for the image's volumes. */
export function downgradeImageInspect(image: ImageInspect, apiVersion: string): ImageInspect {
  if (compareApiVersions(apiVersion, '1.50') >= 0) return image
  const complete = { ...image, Config: withContainerFields(image.Config) }
  if (compareApiVersions(apiVersion, '1.45') >= 0) return complete
  const withContainer = { ...complete, Container: '', ContainerConfig: complete.Config }
  if (compareApiVersions(apiVersion, '1.44') >= 0) return withContainer
  return Object.assign(withContainer, { VirtualSize: image.Size })
}
