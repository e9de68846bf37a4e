/** Converts images to the shapes of older API versions. */
import { compareApiVersions, type ImageInspect, type ImageSummary } from '../../api/index.ts'
import { completeFields, containerConfigFields } from '../requests/fields.ts'

/** An entry of the list. API 1.44 removed `VirtualSize`; below 1.43 an image without names has `<none>` as its names. */
export function downgradeImageSummary(image: ImageSummary, apiVersion: string): ImageSummary {
  if (compareApiVersions(apiVersion, '1.44') >= 0) return image
  const withSize = { ...image, VirtualSize: image.Size }
  if (compareApiVersions(apiVersion, '1.43') >= 0 || image.RepoTags.length + image.RepoDigests.length > 0)
    return withSize
  return { ...withSize, RepoTags: ['<none>:<none>'], RepoDigests: ['<none>@<none>'] }
}

/** The version in whose shape an image is shown. docker-compose 1.x, which is no longer maintained, asks for the newest
 *  version but needs fields that 1.45 removed. */
export function shapeVersion(apiVersion: string, headers: Readonly<Record<string, unknown>>): string {
  const isOldCompose = /^docker-compose\/1\./.test(String(headers['user-agent'] ?? ''))
  return isOldCompose && compareApiVersions(apiVersion, '1.44') > 0 ? '1.44' : apiVersion
}

/** Below 1.50 an image's configuration has all members of a container's configuration, set or not. */
function withContainerFields(config: ImageInspect['Config']): NonNullable<ImageInspect['Config']> {
  const known: Readonly<Record<string, unknown>> = { Image: '', ...config }
  const complete = completeFields(known, containerConfigFields)
  // This member is the engine's value for a container; images do not have it.
  return { ...complete, Labels: config?.Labels ?? null }
}

/** An inspected image. Below 1.45 it has the container that it was made from, which is not known, and that container's
 *  configuration: docker-compose 1.29 reads the image's volumes from there. */
export function downgradeImageInspect(image: ImageInspect, apiVersion: string): ImageInspect {
  if (compareApiVersions(apiVersion, '1.50') >= 0) return image
  const complete = { ...image, Config: withContainerFields(image.Config) }
  if (compareApiVersions(apiVersion, '1.45') >= 0) return complete
  const withContainer = { ...complete, Container: '', ContainerConfig: complete.Config }
  if (compareApiVersions(apiVersion, '1.44') >= 0) return withContainer
  return Object.assign(withContainer, { VirtualSize: image.Size })
}
