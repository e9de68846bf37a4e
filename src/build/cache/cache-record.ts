/** What is known of a step whose outcome is kept: a frozen record, stored as one row, and what it read beside it. */
import type { Descriptor, Digest } from '../../oci/index.ts'

export interface CacheRecord {
  readonly version: 1
  /** Of everything that the step read (see step-key.ts). */
  readonly key: string
  /** The place of the step in its Dockerfile: what a later build of the same is compared with. */
  readonly slot: string
  readonly type: 'regular' | 'source.local' | 'exec.cachemount'
  readonly description: string
  /** What it stands on; absent on scratch. */
  readonly parent?: Digest
  readonly diffId: Digest
  readonly chainId: Digest
  readonly blob: Descriptor
  readonly sizeBytes: number
  /** Unix milliseconds. */
  readonly createdMs: number
  readonly lastUsedMs: number
  readonly uses: number
  /** Another key of the same step, found without reading what it copies. */
  readonly isAlias?: boolean
  /** The key that an alias stands for. */
  readonly of?: string
}

/** What a step read, by name: for explanations. */
export interface StepInputs {
  readonly parent: string
  readonly instruction: string
  readonly values: Readonly<Record<string, string>>
  /** Paths with digests of content and facts. */
  readonly files: Readonly<Record<string, string>>
}
