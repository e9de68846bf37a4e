/** What is read of an archive before anything of it is kept. */
import type { Descriptor, Reference } from '../../oci/index.ts'

/** One image of an archive: paths of its parts. */
export interface ArchivedImage {
  readonly configPath: string
  /** The config itself, when it is in no file. */
  readonly configBytes?: Buffer
  /** Lowest first, with what the manifest says of each, if there is one. */
  readonly layers: readonly { readonly path: string; readonly descriptor?: Descriptor }[]
  readonly references: readonly Reference[]
  readonly manifest?: { readonly bytes: Buffer; readonly descriptor: Descriptor }
  /** What its names stand for, when that is more than the manifest and all of it is there. */
  readonly index?: ArchivedIndex
}

/** An index that the archive has whole. */
export interface ArchivedIndex {
  readonly bytes: Buffer
  readonly descriptor: Descriptor
  /** The images that it lists beside the one that was chosen. */
  readonly others: readonly ArchivedImage[]
  readonly attestations: readonly ArchivedAttestation[]
}

/** A manifest that says something of an image, with its parts; none of these need be there. */
export interface ArchivedAttestation {
  readonly bytes: Buffer
  readonly descriptor: Descriptor
  readonly blobs: readonly Descriptor[]
}

/** Gives a small member's bytes. */
export type ReadMember = (path: string) => Buffer | undefined
