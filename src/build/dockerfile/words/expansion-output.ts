/** Where an expansion's result is collected. */
import { ExpansionError } from './expansion-error.ts'

/** `ENV A=$A$A` some thirty times must not take all memory. */
const maxLength = 4 * 1024 * 1024

/** A word in the making: the text as a whole, and cut at white space. */
export class ExpansionOutput {
  /** All of it so far. */
  text = ''
  readonly #words: string[] = []
  #word: string | undefined

  /** Text that white space cuts. */
  loose(text: string): void {
    for (const part of text.split(/(\s+)/u)) {
      if (/^\s/u.test(part)) {
        this.finish()
        this.text += part
      } else if (part !== '') this.solid(part)
    }
  }

  /** Text that belongs together. */
  solid(text: string): void {
    this.text += text
    if (this.text.length > maxLength) throw new ExpansionError(`result is longer than ${maxLength} characters`)
    this.#word = (this.#word ?? '') + text
  }

  /** Ends the current word and gives all. */
  finish(): readonly string[] {
    if (this.#word !== undefined) this.#words.push(this.#word)
    this.#word = undefined
    return this.#words
  }
}
