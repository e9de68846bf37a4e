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

/** Something in the store that is damaged, missing or too open, or something that the kernel lacks. */
export interface StoreProblem {
  readonly Kind: 'blob' | 'image' | 'reference' | 'snapshot' | 'container' | 'path' | 'kernel'
  /** Digest, reference, snapshot key, container id, a path of the host that other users can enter, or a feature of the
   *  network that the kernel lacks. */
  readonly Name: string
  readonly Message: string
}
