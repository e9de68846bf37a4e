/** `POST /berth/check`, a route of Berth's own: whether everything in the store is as its names say. */
export interface StoreCheck {
  readonly Checked: {
    readonly Images: number
    readonly References: number
    readonly Blobs: number
    /** Bytes that were hashed. */
    readonly BlobBytes: number
    readonly Snapshots: number
  }
  /** Empty when all is well. */
  readonly Problems: readonly StoreProblem[]
  /** What nothing needs and a prune would take; digests, and keys of unfinished downloads. */
  readonly Unused: {
    readonly Blobs: readonly string[]
    readonly Layers: readonly string[]
    readonly Unfinished: readonly string[]
  }
}

export interface StoreProblem {
  readonly Kind: 'blob' | 'image' | 'reference' | 'snapshot' | 'container' | 'path'
  /** Digest, reference, snapshot key, container id, or a path of the host that other users can enter. */
  readonly Name: string
  readonly Message: string
}
