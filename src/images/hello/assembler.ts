/** Machine code with labels. Instructions are appended as bytes; `link` fills in jumps and addresses when every label
 *  is placed. It knows no instruction set: `x64.ts` and `arm64.ts` do. */

interface Fixup {
  readonly offset: number
  readonly label: string
  readonly patch: (code: Buffer, offset: number, distance: number) => void
}

/** Collects the code and data of one program. */
export class Assembler {
  readonly #bytes: number[] = []
  readonly #labels = new Map<string, number>()
  readonly #fixups: Fixup[] = []

  /** Appends bytes. */
  emit(...bytes: readonly number[]): void {
    this.#bytes.push(...bytes)
  }

  /** Appends a 32-bit little-endian word. */
  emit32(word: number): void {
    this.emit(word & 0xff, (word >>> 8) & 0xff, (word >>> 16) & 0xff, word >>> 24)
  }

  /** Places a label at the present end. */
  label(name: string): void {
    this.#labels.set(name, this.#bytes.length)
  }

  /** Lets `link` call `patch` with the distance from the present end of the code to `label`, and with the offset of
   *  that end. */
  reference(label: string, patch: Fixup['patch']): void {
    this.#fixups.push({ offset: this.#bytes.length, label, patch })
  }

  /** The program, with every reference resolved. */
  link(): Buffer {
    const code = Buffer.from(this.#bytes)
    for (const { offset, label, patch } of this.#fixups) {
      const target = this.#labels.get(label)
      if (target === undefined) throw new Error(`undefined label ${label}`)
      patch(code, offset, target - offset)
    }
    return code
  }
}
