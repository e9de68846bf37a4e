/** The key sequence that ends an attachment and leaves the container running. The notation is Docker's: keys separated
 *  by commas, each a single character or `ctrl-` with a-z, @, [, \, ], ^ or _. */
import { invalidArgument } from '../../base/index.ts'

const defaultSequence = Buffer.from([16, 17]) // ctrl-p,ctrl-q

/** Gives the bytes of a sequence; for undefined or '' those of the default. Throws `invalidArgument` for an unknown
 *  key. */
export function parseDetachKeys(text: string | undefined): Buffer {
  if (text === undefined || text === '') return defaultSequence
  return Buffer.from(text.split(',').map(keyCode))
}

function keyCode(key: string): number {
  if (key.length === 1) return key.charCodeAt(0)
  const [, control] = /^ctrl-([a-z@[\\\]^_])$/.exec(key) ?? []
  if (control === undefined) throw invalidArgument(`Invalid detach keys (${key}) provided`)
  return control.toUpperCase().charCodeAt(0) - 64
}

/** Finds the sequence in what a user types, even if it arrives in pieces. Bytes that may begin the sequence are held
 *  back until that is decided. */
export class DetachDetector {
  readonly #sequence: Buffer
  #matched = 0

  constructor(sequence: Buffer) {
    this.#sequence = sequence
  }

  /** Takes typed bytes. Gives the bytes to pass on, and whether the sequence is complete. */
  push(chunk: Buffer): { readonly pass: Buffer; readonly detached: boolean } {
    if (this.#matched === 0 && this.#sequence[0] !== undefined && !chunk.includes(this.#sequence[0])) {
      return { pass: chunk, detached: false }
    }
    const pass: number[] = []
    for (const byte of chunk) {
      if (byte === this.#sequence[this.#matched]) {
        this.#matched += 1
        if (this.#matched === this.#sequence.length) return { pass: Buffer.from(pass), detached: true }
        continue
      }
      pass.push(...this.#sequence.subarray(0, this.#matched))
      this.#matched = byte === this.#sequence[0] ? 1 : 0
      if (this.#matched === 0) pass.push(byte)
    }
    return { pass: Buffer.from(pass), detached: false }
  }
}
