/** What the manifests of an archive describe, before anything of it is stored. */
import type { Descriptor, Reference } from '../../oci/index.ts'

/** One image of an archive, with the paths of its parts. */
export interface ArchivedImage {
  readonly configPath: string
  /** The config, when no file of the archive has it. */
  readonly configBytes?: Buffer
  /** Lowest first, with the descriptors of the manifest, if there is one. */
  readonly layers: readonly { readonly path: string; readonly descriptor?: Descriptor }[]
  readonly references: readonly Reference[]
  readonly manifest?: { readonly bytes: Buffer; readonly descriptor: Descriptor }
  /** The index that its names stand for, if the archive has all of it. */
  readonly index?: ArchivedIndex
}

/** An index of which the archive has every part. */
export interface ArchivedIndex {
  readonly bytes: Buffer
  readonly descriptor: Descriptor
  /** The images that it lists beside the chosen one. */
  readonly others: readonly ArchivedImage[]
  readonly attestations: readonly ArchivedAttestation[]
}

/** A manifest that attests something about an image, with its parts. The archive may lack any of them. */
export interface ArchivedAttestation {
  readonly bytes: Buffer
  readonly descriptor: Descriptor
  readonly blobs: readonly Descriptor[]
}

/** Returns the bytes of a small member, or undefined when there is none. */
export type ReadMember = (path: string) => Buffer | undefined
