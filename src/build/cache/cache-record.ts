/** The record of a step whose result is kept: a frozen value, stored as one row. The step's inputs are stored beside
 *  it. */
import type { Descriptor, Digest } from '../../oci/index.ts'

/** A cached step, or a cache mount. */
export interface CacheRecord {
  readonly version: 1
  /** Digest of everything the step read; see step-key.ts. */
  readonly key: string
  /** The step's place in its Dockerfile. On a miss, the step is compared with the last one at the same slot. */
  readonly slot: string
  readonly type: 'regular' | 'source.local' | 'exec.cachemount'
  readonly description: string
  /** Chain id of the layers below. Absent on scratch. */
  readonly parent?: Digest
  readonly diffId: Digest
  readonly chainId: Digest
  readonly blob: Descriptor
  readonly sizeBytes: number
  /** Times are Unix milliseconds. */
  readonly createdMs: number
  readonly lastUsedMs: number
  readonly uses: number
  /** The record is a second key for the same step, which can be computed without reading the files it copies. */
  readonly isAlias?: boolean
  /** The key that the alias points to. */
  readonly of?: string
}

/** What a step read, by name. Used to explain why a step was not cached. */
export interface StepInputs {
  readonly parent: string
  readonly instruction: string
  readonly values: Readonly<Record<string, string>>
  /** Digests of content and metadata, by path. */
  readonly files: Readonly<Record<string, string>>
}
