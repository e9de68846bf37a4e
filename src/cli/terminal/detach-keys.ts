/** The keys that end the client and leave the container running. The default is Ctrl-P Ctrl-Q. */
import { invalidArgument } from '../../base/index.ts'

const defaultKeys = [16, 17]

/** Parses `ctrl-p,ctrl-q` or `ctrl-x,a` into codes. An empty text gives the default. */
export function parseDetachKeys(text: string): readonly number[] {
  if (text === '') return defaultKeys
  return text.split(',').map((key) => {
    const code = /^ctrl-([a-z@[\\\]^_])$/.exec(key)?.[1]
    if (code !== undefined) return code.toUpperCase().charCodeAt(0) & 0x1f
    if (key.length === 1) return key.charCodeAt(0)
    throw invalidArgument(`invalid detach keys (${text}): Unknown character: '${key}'`)
  })
}

/** Finds the keys in the input. The beginning of the sequence is held back until another key follows. */
export class DetachFilter {
  readonly #keys: readonly number[]
  #matched = 0

  constructor(keys: readonly number[]) {
    this.#keys = keys
  }

  /** Takes typed bytes; gives those to send, and whether the keys were among them. */
  feed(chunk: Buffer): { readonly data: Buffer; readonly detached: boolean } {
    if (this.#matched === 0 && !chunk.includes(this.#keys[0] ?? -1)) return { data: chunk, detached: false }
    const data: number[] = []
    for (const byte of chunk) {
      if (byte !== this.#keys[this.#matched]) {
        data.push(...this.#keys.slice(0, this.#matched))
        this.#matched = 0
      }
      if (byte !== this.#keys[this.#matched]) {
        data.push(byte)
        continue
      }
      this.#matched++
      if (this.#matched === this.#keys.length) return { data: Buffer.from(data), detached: true }
    }
    return { data: Buffer.from(data), detached: false }
  }
}
