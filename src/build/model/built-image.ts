/** The result of a build, as exporters take it to make images, archives, directories and caches. */
import type { Descriptor, Digest, OciImageConfig, Platform } from '../../oci/index.ts'

/** One layer of a result. The base image's layers come first. */
export interface BuiltLayer {
  readonly diffId: Digest
  /** Name of the snapshot that contains this layer and all below it. */
  readonly chainId: Digest
  /** Descriptor of the blob in the content store, compressed or not. */
  readonly blob: Descriptor
  /** Size of the files, in bytes. */
  readonly sizeBytes: number
  /** Cache key of the step that made the layer. Absent for layers of a base image. */
  readonly key?: string
  readonly createdBy?: string
}

/** An input of a build that does not come from the client: a base image, a git repository or a URL. */
export interface BuildMaterial {
  readonly kind: 'image' | 'git' | 'url'
  /** The name or address in the Dockerfile. */
  readonly uri: string
  /** Digest of an image or file, or commit of a repository. */
  readonly digest?: string
  /** Platform of an image. */
  readonly platform?: Platform
}

/** The image of one target for one platform. */
export interface BuiltImage {
  /** Index among the targets of the request. */
  readonly target: number
  readonly stage: string | undefined
  readonly platform: Platform
  readonly config: OciImageConfig
  readonly layers: readonly BuiltLayer[]
  readonly materials: readonly BuildMaterial[]
  /** Value of SOURCE_DATE_EPOCH, in seconds since 1970. */
  readonly sourceDateEpoch?: number
}
