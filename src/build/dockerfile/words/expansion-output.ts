/** Collects the result of an expansion. */
import { ExpansionError } from './expansion-error.ts'

/** Limits what repeated doubling (`ENV A=$A$A`) can produce. */
const maxLength = 4 * 1024 * 1024

/** A word being built, both as a whole and split at white space. */
export class ExpansionOutput {
  /** Everything so far. */
  text = ''
  readonly #words: string[] = []
  #word: string | undefined

  /** Adds text that is split at white space. */
  loose(text: string): void {
    for (const part of text.split(/(\s+)/u)) {
      if (/^\s/u.test(part)) {
        this.finish()
        this.text += part
      } else if (part !== '') this.solid(part)
    }
  }

  /** Adds text that is not split. */
  solid(text: string): void {
    this.text += text
    if (this.text.length > maxLength) throw new ExpansionError(`result is longer than ${maxLength} characters`)
    this.#word = (this.#word ?? '') + text
  }

  /** Ends the current word and gives all words. */
  finish(): readonly string[] {
    if (this.#word !== undefined) this.#words.push(this.#word)
    this.#word = undefined
    return this.#words
  }
}
