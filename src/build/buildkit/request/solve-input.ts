import type { ClientSession } from '../session/client-session.ts'
import type { LlbBuild } from './llb-source.ts'

/** One of the places that a result goes to. */
export interface WantedExport {
  /** BuildKit's name: `moby`, `image`, `oci`, `docker`, `tar`, `local`; '': nowhere. */
  readonly type: string
  readonly attrs: Readonly<Record<string, string>>
}

/** One of the places that a cache comes from or goes to. */
export interface CacheEntry {
  readonly type: string
  readonly attrs: Readonly<Record<string, string>>
}

/** What a client asks BuildKit to build. */
export interface SolveInput {
  /** `dockerfile.v0`. */
  readonly frontend: string
  readonly attrs: Readonly<Record<string, string>>
  readonly exports: readonly WantedExport[]
  readonly cacheExports: readonly CacheEntry[]
  readonly cacheImports: readonly CacheEntry[]
  readonly entitlements: readonly string[]
  /** Results of other builds, by the names under which the options speak of them. */
  readonly inputs: ReadonlyMap<string, string>
  readonly session: ClientSession
  /** What was given as LLB. */
  readonly llb?: LlbBuild | undefined
  /** The archive that is the context, where the client sent it along. */
  readonly archive?: () => AsyncIterable<Buffer>
}
