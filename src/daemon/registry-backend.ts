/** Questions to registries, as the API asks them: login, search, what is under a name. */
import type { SearchResult } from '../api/index.ts'
import { registryAuthOf } from '../images/index.ts'
import { defaultRegistry, familiarName, familiarReference, parseReference, withDefaultTag } from '../oci/index.ts'
import {
  type FoundRepository,
  inspectDistribution,
  parseSearchTerm,
  pullError,
  type RegistryClient,
} from '../registry/client/index.ts'
import type { RegistryBackend } from '../server/index.ts'

/** Makes the backend. Credentials go to the registry and are kept nowhere. */
export function registryBackend(registries: RegistryClient): RegistryBackend {
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
      const wantsAutomated = (filters['is-automated'] ?? []).some(isTrue)
      // There are none since Docker Hub ceased to have such.
      if (wantsAutomated) return []
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

function isWanted(
  { isOfficial, starCount }: FoundRepository,
  filters: Readonly<Record<string, readonly string[]>>,
): boolean {
  const official = filters['is-official']?.[0]
  if (official !== undefined && isOfficial !== isTrue(official)) return false
  return (filters.stars ?? []).every((least) => starCount >= Number(least))
}

function toResult({ name, description, starCount, isOfficial }: FoundRepository): SearchResult {
  return { star_count: starCount, is_official: isOfficial, name, is_automated: false, description }
}

function isTrue(value: string): boolean {
  return value === 'true' || value === '1'
}
