/** Hashes and unpacks the uncompressed bytes of a layer in one pass; the caller pushes the bytes. */
import { createHash } from 'node:crypto'
import { type Digest, digestFromHex } from '../../oci/index.ts'
import { TarParser } from '../tar/tar-parser.ts'
import { LayerApplier } from './layer-applier.ts'

/** What the unpacker found in a layer. */
export interface UnpackedLayer {
  readonly diffId: Digest
  /** Length of the tar stream in bytes. */
  readonly tarBytes: number
  /** Sum of the sizes of its files in bytes, as Docker counts. */
  readonly sizeBytes: number
  readonly entries: number
  /** Directories that files needed, but that have no entry: the commit of a snapshot gives them owner and mode of a
   *  lower layer's directory. */
  readonly impliedDirectories: readonly string[]
}

/** Unpacks a layer. Synchronous, for worker threads. Always dispose of it; the caller removes a half-unpacked
 *  directory. */
export class LayerUnpacker implements Disposable {
  readonly #hash = createHash('sha256')
  readonly #applier: LayerApplier
  readonly #parser: TarParser
  #tarBytes = 0

  /** Unpacks into `root`, an existing empty directory. */
  constructor(root: string) {
    this.#applier = new LayerApplier(root)
    this.#parser = new TarParser(this.#applier)
  }

  /** Takes the next bytes; the caller may reuse their memory afterwards. */
  write(chunk: Buffer): void {
    this.#hash.update(chunk)
    this.#tarBytes += chunk.length
    this.#parser.push(chunk)
  }

  /** Ends the layer. Throws `invalidArgument` when the archive is incomplete. */
  end(): UnpackedLayer {
    this.#parser.end()
    this.#applier.finish()
    return {
      diffId: digestFromHex(this.#hash.digest('hex')),
      tarBytes: this.#tarBytes,
      sizeBytes: this.#applier.sizeBytes,
      entries: this.#applier.entries,
      impliedDirectories: this.#applier.impliedDirectories,
    }
  }

  [Symbol.dispose](): void {
    this.#applier[Symbol.dispose]()
  }
}
