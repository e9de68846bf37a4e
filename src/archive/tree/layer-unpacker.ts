/** A layer's uncompressed bytes in, files out: hash and unpack in one pass, pushed by the caller. */
import { createHash } from 'node:crypto'
import { type Digest, digestFromHex } from '../../oci/index.ts'
import { TarParser } from '../tar/tar-parser.ts'
import { LayerApplier } from './layer-applier.ts'

/** What an uncompressed layer turned out to be. */
export interface UnpackedLayer {
  readonly diffId: Digest
  /** Bytes of the tar stream. */
  readonly tarBytes: number
  /** Sum of the sizes of its files, as Docker counts. */
  readonly sizeBytes: number
  readonly entries: number
  /** Directories that files needed but that the archive does not describe: a lower layer may know their owner and
   *  mode (a snapshot's commit takes them over). */
  readonly impliedDirectories: readonly string[]
}

/** Synchronous: for worker threads. Dispose it in any case; a half-unpacked directory is the caller's to remove. */
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

  /** Takes the next bytes; the memory is the caller's again afterwards. */
  write(chunk: Buffer): void {
    this.#hash.update(chunk)
    this.#tarBytes += chunk.length
    this.#parser.push(chunk)
  }

  /** All bytes were written. Throws when the archive is incomplete. */
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
