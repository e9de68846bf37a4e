/** Limits the number of requests that write to uploads at the same time. */
import { RegistryError } from './registry-error.ts'

export class UploadGate {
  readonly #limit: number
  readonly #onChange: (active: number) => void
  #active = 0

  /** `onChange` is called with every new number of requests. */
  constructor(limit: number, onChange: (active: number) => void) {
    this.#limit = limit
    this.#onChange = onChange
  }

  /** Counts a request. Gives a function that ends it. Throws TOOMANYREQUESTS if the limit is reached. */
  enter(): () => void {
    if (this.#active >= this.#limit) {
      throw new RegistryError('TOOMANYREQUESTS', {
        message: 'too many uploads at the same time',
        headers: { 'Retry-After': '1' },
      })
    }
    this.#change(1)
    return () => this.#change(-1)
  }

  #change(by: number): void {
    this.#active += by
    this.#onChange(this.#active)
  }
}
