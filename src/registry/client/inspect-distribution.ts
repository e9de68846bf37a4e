/** Finds out what a registry has under a name, without pulling it (`GET /distribution/{name}/json` of the Engine
 *  API). */
import type { AbortOptions } from '../../base/index.ts'
import {
  type Descriptor,
  isConfigType,
  type Platform,
  parseImageConfig,
  parseManifestDocument,
  platformOfConfig,
} from '../../oci/index.ts'
import type { Repository } from './repository.ts'

/** The descriptor of an image or index, and its platforms. */
export interface DistributionFacts {
  readonly descriptor: Descriptor
  /** Empty for an artifact that is not an image. */
  readonly platforms: readonly Platform[]
}

/** Fetches the manifest of `target`, a tag or a digest, and for a single image its config. Rejects with the registry's
 *  errors, for example `notFound`. */
export async function inspectDistribution(
  repository: Repository,
  target: string,
  options: AbortOptions = {},
): Promise<DistributionFacts> {
  const { bytes, descriptor } = await repository.fetchManifest(target, options)
  const document = parseManifestDocument(bytes, descriptor.mediaType)
  if (document.type === 'index') {
    const { mediaType, manifests } = document.index
    const platforms = manifests.flatMap(({ platform }) => (platform === undefined ? [] : [platform]))
    return { descriptor: { ...descriptor, mediaType }, platforms }
  }
  const { mediaType, config } = document.manifest
  const facts = { ...descriptor, mediaType }
  if (!isConfigType(config.mediaType)) return { descriptor: facts, platforms: [] }
  const platform = platformOfConfig(parseImageConfig(await repository.fetchBlob(config, options)))
  return { descriptor: facts, platforms: [platform] }
}
