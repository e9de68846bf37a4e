/** SHA-2 whose state can be written down and gone on with in another process. Node's own hashes can't do that, but the
 *  OpenSSL in its binary can: the low-level functions work on a plain structure (`openssl/sha.h`). They are as fast
 *  as Node's. The structure is the same on both architectures that Berth runs on. */
import { nativeFunction } from './ffi.ts'

/** The functions that can be gone on with. */
export type ResumableAlgorithm = 'sha256' | 'sha512'

const sha256Init = nativeFunction('int SHA256_Init(void *context)')
const sha256Update = nativeFunction('int SHA256_Update(void *context, const void *data, size_t length)')
const sha256Final = nativeFunction('int SHA256_Final(void *digest, void *context)')
const sha512Init = nativeFunction('int SHA512_Init(void *context)')
const sha512Update = nativeFunction('int SHA512_Update(void *context, const void *data, size_t length)')
const sha512Final = nativeFunction('int SHA512_Final(void *digest, void *context)')

const functions = {
  sha256: { init: sha256Init, update: sha256Update, final: sha256Final, stateBytes: 112, digestBytes: 32 },
  sha512: { init: sha512Init, update: sha512Update, final: sha512Final, stateBytes: 216, digestBytes: 64 },
} as const

/** A running hash. */
export class ResumableHash {
  readonly algorithm: ResumableAlgorithm
  readonly #context: Buffer

  private constructor(algorithm: ResumableAlgorithm, context: Buffer) {
    this.algorithm = algorithm
    this.#context = context
  }

  /** A hash of nothing yet. */
  static start(algorithm: ResumableAlgorithm): ResumableHash {
    const { init, stateBytes } = functions[algorithm]
    const context = Buffer.alloc(stateBytes)
    init(context)
    return new ResumableHash(algorithm, context)
  }

  /** Goes on from what `state()` gave; undefined when that is no such state. */
  static resume(algorithm: ResumableAlgorithm, state: Uint8Array): ResumableHash | undefined {
    const { stateBytes, digestBytes } = functions[algorithm]
    // The last two fields: bytes waiting for a whole block, and the digest's length.
    const context = Buffer.from(state)
    if (context.length !== stateBytes || context.readUInt32LE(stateBytes - 4) !== digestBytes) return undefined
    const blockBytes = digestBytes * 2
    return context.readUInt32LE(stateBytes - 8) < blockBytes ? new ResumableHash(algorithm, context) : undefined
  }

  /** Adds bytes. */
  update(bytes: Uint8Array): this {
    functions[this.algorithm].update(this.#context, bytes, bytes.byteLength)
    return this
  }

  /** What is needed to go on: 112 or 216 bytes. */
  state(): Buffer {
    return Buffer.from(this.#context)
  }

  /** The digest of what came so far, in hexadecimal. More can be added afterwards. */
  hex(): string {
    const { final, digestBytes } = functions[this.algorithm]
    const digest = Buffer.alloc(digestBytes)
    final(digest, this.state())
    return digest.toString('hex')
  }
}
