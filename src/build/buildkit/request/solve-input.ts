/** What a client asks of BuildKit in one solve, independent of the call that it came by. */
import type { BuildkitEntry } from '../../../contract/index.ts'
import type { ClientSession } from '../session/client-session.ts'
import type { LlbBuild } from './llb-source.ts'

/** What a client asks to be built. */
export interface SolveInput {
  /** The frontend's name: `dockerfile.v0`, or '' for LLB. */
  readonly frontend: string
  readonly attrs: Readonly<Record<string, string>>
  readonly exports: readonly BuildkitEntry[]
  readonly cacheExports: readonly BuildkitEntry[]
  readonly cacheImports: readonly BuildkitEntry[]
  readonly entitlements: readonly string[]
  /** Ids of results of other builds, by the names that the options use for them. */
  readonly inputs: ReadonlyMap<string, string>
  readonly session: ClientSession
  /** The build, when it was given as LLB. */
  readonly llb?: LlbBuild | undefined
  /** The build context as an archive, when the client sent it with the request. */
  readonly archive?: () => AsyncIterable<Buffer>
}
