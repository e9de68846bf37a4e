/** The verbs of registries, as the API server and embedders call them: login, search, what is under a name. */
import type { Filters, SearchResult } from '../../api/index.ts'
import { booleanFilter, type RegistryBackend } from '../../contract/index.ts'
import { defaultRegistry, familiarName, familiarReference, parseReference, withDefaultTag } from '../../oci/index.ts'
import {
  type FoundRepository,
  inspectDistribution,
  parseSearchTerm,
  pullError,
  type RegistryClient,
} from '../../registry/client/index.ts'
import { registryAuthOf } from './registry-auth.ts'

/** Makes the verbs. Credentials are sent to the registry and not kept. */
export function registryService(registries: RegistryClient): RegistryBackend {
  return {
    async login(auth, abort) {
      const { identityToken } = await registries.login(registryOf(auth.serveraddress), registryAuthOf(auth), abort)
      return { Status: 'Login Succeeded', IdentityToken: identityToken ?? '' }
    },
    async inspect(text, { auth, signal }) {
      const reference = withDefaultTag(parseReference(text))
      const repository = registries.repository(reference, registryAuthOf(auth))
      try {
        const target = reference.digest ?? reference.tag ?? ''
        const { descriptor, platforms } = await inspectDistribution(repository, target, { signal })
        const { mediaType, digest, size } = descriptor
        return { Descriptor: { mediaType, digest, size }, Platforms: platforms }
      } catch (error) {
        throw pullError(error, familiarName(reference), familiarReference(reference))
      }
    },
    async search(text, { limit, filters, auth, signal }) {
      const term = parseSearchTerm(text, limit)
      // Docker Hub no longer has automated builds.
      if (booleanFilter(filters, 'is-automated') === true) return []
      const found = await registries.search(term, registryAuthOf(auth), { signal })
      return found.filter((one) => isWanted(one, filters)).map(toResult)
    },
  }
}

/** `https://index.docker.io/v1/`, which is how clients know Docker Hub, or a host with or without a scheme and a path. */
function registryOf(address = ''): string {
  const host = address.replace(/^https?:\/\//, '').replace(/\/.*$/, '')
  return ['', 'index.docker.io', 'docker.io', 'registry-1.docker.io'].includes(host) ? defaultRegistry : host
}

function isWanted({ isOfficial, starCount }: FoundRepository, filters: Filters): boolean {
  const official = booleanFilter(filters, 'is-official')
  if (official !== undefined && isOfficial !== official) return false
  return (filters.stars ?? []).every((least) => starCount >= Number(least))
}

function toResult({ name, description, starCount, isOfficial }: FoundRepository): SearchResult {
  return { star_count: starCount, is_official: isOfficial, name, is_automated: false, description }
}
