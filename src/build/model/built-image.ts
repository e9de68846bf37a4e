/** What a build hands to those that make something of it: images, archives, directories, caches. */
import type { Descriptor, Digest, OciImageConfig, Platform } from '../../oci/index.ts'

/** One layer of what was built; those of the base image come first. */
export interface BuiltLayer {
  readonly diffId: Digest
  /** Name of the snapshot with the stack up to and with this layer. */
  readonly chainId: Digest
  /** The blob in the content store, compressed or not. */
  readonly blob: Descriptor
  /** Of the files. */
  readonly sizeBytes: number
  /** The layer was made by a step of this Dockerfile, whose cache key this is. */
  readonly key?: string
  readonly createdBy?: string
}

/** Something from outside that went into a build. */
export interface BuildMaterial {
  readonly kind: 'image' | 'git' | 'url'
  /** As the Dockerfile names it. */
  readonly uri: string
  /** Digest or commit. */
  readonly digest?: string
  /** Of an image. */
  readonly platform?: Platform
}

/** What became of one target. */
export interface BuiltImage {
  /** Index among the targets of the request. */
  readonly target: number
  readonly stage: string | undefined
  readonly platform: Platform
  readonly config: OciImageConfig
  readonly layers: readonly BuiltLayer[]
  readonly materials: readonly BuildMaterial[]
  /** From SOURCE_DATE_EPOCH, in seconds. */
  readonly sourceDateEpoch?: number
}

/** Takes bytes at the reader's pace. */
export interface ByteSink {
  write(chunk: Uint8Array): Promise<void>
  end(): Promise<void>
}
