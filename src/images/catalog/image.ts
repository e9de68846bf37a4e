/** The records of images: frozen plain data, stored as one row each. Names are stored beside them. */
import type { Descriptor, Digest, OciImageConfig, Platform, Reference } from '../../oci/index.ts'

/** One layer of an image. */
export interface ImageLayer {
  readonly diffId: Digest
  /** Chain ID of the stack up to and including this layer, which is the name of its snapshot. */
  readonly chainId: Digest
  /** The blob as it was pulled or loaded, compressed or not. */
  readonly blob: Descriptor
  /** Sum of the sizes of the unpacked files. */
  readonly sizeBytes: number
}

/** One image. Its id is the digest of its config. */
export interface ImageRecord {
  readonly version: 1
  readonly id: Digest
  readonly config: OciImageConfig
  readonly configSize: number
  /** The manifest in the content store, which a push sends. */
  readonly manifest: Descriptor
  /** True when this engine made the manifest, because the image came without one. A push may replace it by one with
   *  compressed layers. */
  readonly isManifestMade?: boolean
  readonly layers: readonly ImageLayer[]
  /** Manifests of attestations that an index lists for this image, and the blobs that these list. */
  readonly attachments?: readonly Descriptor[]
  /** Digests of the indexes that list this image beside those for other platforms. While a name stands for one of these
   *  indexes, the image belongs to that name. */
  readonly partOf?: readonly Digest[]
  /** True for an image that a build made on the way to another one. Lists hide it like a parent. */
  readonly isIntermediate?: boolean
  readonly parent?: Digest
  /** Time of the last tag here, as RFC 3339; empty when there was none. */
  readonly lastTagTime: string
}

/** A name and what it stands for: a manifest, or the index that it was chosen from. */
export interface NamedTarget {
  readonly reference: Reference
  readonly target: Descriptor
}

/** A record to store, with the names to point to it. */
export interface NamedRecord {
  readonly record: ImageRecord
  readonly names: readonly NamedTarget[]
}

/** An image, with everything that follows from its record and names. */
export interface Image {
  readonly id: Digest
  /** Short forms of its names with a tag, `busybox:latest`. */
  readonly references: readonly string[]
  /** Short forms of its names with a digest, `busybox@sha256:…`. */
  readonly digests: readonly string[]
  readonly config: OciImageConfig
  readonly manifest: Descriptor
  readonly layers: readonly ImageLayer[]
  /** Name of the snapshot that containers are based on; undefined for an image without layers. */
  readonly chainId: Digest | undefined
  readonly platform: Platform
  readonly sizeBytes: number
  /** RFC 3339; Docker's zero time when the config has none. */
  readonly created: string
  readonly parent: Digest | undefined
  readonly isIntermediate: boolean
  readonly lastTagTime: string
}

/** Tells which containers use an image. The container layer implements it. */
export interface ImageUse {
  /** All containers, running or not, that were made from the image or mount it. */
  containersUsing(imageId: Digest): readonly ImageUser[]
}

/** A container that uses an image. */
export interface ImageUser {
  readonly id: string
  readonly name: string
  readonly running: boolean
}
