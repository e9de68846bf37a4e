/** Result of `POST /berth/check`, a route that only Berth has: whether everything in the store matches its digests and
 *  records. */
export interface StoreCheck {
  readonly Checked: {
    readonly Images: number
    readonly References: number
    readonly Blobs: number
    /** Bytes that were hashed. */
    readonly BlobBytes: number
    readonly Snapshots: number
  }
  /** Empty when the store is intact. */
  readonly Problems: readonly StoreProblem[]
  /** Digests that nothing references and keys of unfinished downloads, which the next collection removes. */
  readonly Unused: {
    readonly Blobs: readonly string[]
    readonly Layers: readonly string[]
    readonly Unfinished: readonly string[]
  }
}

/** Something in the store that is damaged, missing or too open. */
export interface StoreProblem {
  readonly Kind: 'blob' | 'image' | 'reference' | 'snapshot' | 'container' | 'path'
  /** Digest, reference, snapshot key, container id, or a path of the host that other users can enter. */
  readonly Name: string
  readonly Message: string
}
