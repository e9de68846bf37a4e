/** What the engine knows of an image: a frozen record, stored as one row, and its names beside it. */
import type { Descriptor, Digest, OciImageConfig, Platform, Reference } from '../../oci/index.ts'

/** One layer of an image. */
export interface ImageLayer {
  readonly diffId: Digest
  /** Of the stack up to and with this layer: the name of its snapshot. */
  readonly chainId: Digest
  /** The blob as it was pulled or loaded (compressed or not). */
  readonly blob: Descriptor
  /** The files' sizes after unpacking. */
  readonly sizeBytes: number
}

/** One image, by its config's digest. */
export interface ImageRecord {
  readonly version: 1
  readonly id: Digest
  readonly config: OciImageConfig
  readonly configSize: number
  /** The manifest in the content store: what a push sends. */
  readonly manifest: Descriptor
  /** The manifest was made here, for parts that came without one: a push may make one with compressed layers. */
  readonly isManifestMade?: boolean
  readonly layers: readonly ImageLayer[]
  /** What an index lists beside it and belongs to it: manifests of attestations, with the blobs that these list. */
  readonly attachments?: readonly Descriptor[]
  /** Digests of the indexes that list it beside images for other platforms. While a name stands for one of these, the
   *  image belongs to that name. */
  readonly partOf?: readonly Digest[]
  /** Made on the way to another image: shown like a parent of others. */
  readonly isIntermediate?: boolean
  readonly parent?: Digest
  /** RFC 3339; empty when it was never tagged here. */
  readonly lastTagTime: string
}

/** A name and what it stands for: a manifest, or the index that it was chosen from. */
export interface NamedTarget {
  readonly reference: Reference
  readonly target: Descriptor
}

/** A record on its way into the store, with the names that are to stand for it. */
export interface NamedRecord {
  readonly record: ImageRecord
  readonly names: readonly NamedTarget[]
}

/** An image with everything that is derived from its record and names. */
export interface Image {
  readonly id: Digest
  /** Short forms with a tag, `busybox:latest`. */
  readonly references: readonly string[]
  /** Short forms with a digest, `busybox@sha256:…`. */
  readonly digests: readonly string[]
  readonly config: OciImageConfig
  readonly manifest: Descriptor
  readonly layers: readonly ImageLayer[]
  /** Name of the snapshot that containers stand on; undefined for an image without layers. */
  readonly chainId: Digest | undefined
  readonly platform: Platform
  readonly sizeBytes: number
  /** RFC 3339; Docker's zero time when the image does not say. */
  readonly created: string
  readonly parent: Digest | undefined
  readonly isIntermediate: boolean
  readonly lastTagTime: string
}

/** Whether containers use an image: supplied by the container layer. */
export interface ImageUse {
  containersUsing(imageId: Digest): readonly ImageUser[]
}

export interface ImageUser {
  readonly id: string
  readonly name: string
  readonly running: boolean
}
