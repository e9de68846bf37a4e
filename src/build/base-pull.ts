/** Pulling the base images of builds. */
import type { Images } from '../images/index.ts'
import { type Digest, formatPlatform, hostPlatform, platformRank } from '../oci/index.ts'
import type { PullImage } from './model/build-parts.ts'

/** Makes the function by which builds pull. An image for another platform does not take the name of one that runs on
 *  this host; the function gives its id then. */
export function basePull(images: Pick<Images, 'pull'>): PullImage {
  return async (reference, { platform, auth, onProgress, signal }) => {
    const options = {
      platform: platform === undefined ? undefined : formatPlatform(platform),
      auth: {
        ...(auth.username === undefined ? {} : { username: auth.username }),
        ...(auth.password === undefined ? {} : { password: auth.password }),
        ...(auth.identityToken === undefined ? {} : { identitytoken: auth.identityToken }),
        ...(auth.registryToken === undefined ? {} : { registrytoken: auth.registryToken }),
      },
      onProgress,
      signal,
    }
    if (platform === undefined || platformRank(hostPlatform(), platform) !== undefined) {
      await images.pull(reference, options)
      return undefined
    }
    let found: Digest | undefined
    const onPulled = (id: Digest) => {
      found = id
    }
    await images.pull(reference, { ...options, isBeside: true, onPulled })
    return found
  }
}
