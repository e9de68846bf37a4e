/** SHA-2 with a state that can be saved and resumed in another process. Node's own hashes can't do that, but the
 *  OpenSSL in its binary can: its low-level functions work on a plain structure (`openssl/sha.h`), which is the same on
 *  both architectures that Berth supports. They are as fast as Node's hashes. */
import { nativeFunction } from './ffi.ts'

/** Hash functions that can be resumed. */
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

  /** Starts a hash. */
  static start(algorithm: ResumableAlgorithm): ResumableHash {
    const { init, stateBytes } = functions[algorithm]
    const context = Buffer.alloc(stateBytes)
    init(context)
    return new ResumableHash(algorithm, context)
  }

  /** Resumes from the bytes that `state()` returned. Undefined when they are not a state of this algorithm. */
  static resume(algorithm: ResumableAlgorithm, state: Uint8Array): ResumableHash | undefined {
    const { stateBytes, digestBytes } = functions[algorithm]
    // The last two fields: the number of bytes that wait for a whole block, and the digest's length.
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

  /** The state for `resume`: 112 or 216 bytes. */
  state(): Buffer {
    return Buffer.from(this.#context)
  }

  /** The digest of all bytes so far, in hexadecimal. More bytes can be added afterwards. */
  hex(): string {
    const { final, digestBytes } = functions[this.algorithm]
    const digest = Buffer.alloc(digestBytes)
    final(digest, this.state())
    return digest.toString('hex')
  }
}
