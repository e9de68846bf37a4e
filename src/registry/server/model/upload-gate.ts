/** How many requests put bytes into uploads at the same time. */
import { RegistryError } from './registry-error.ts'

export class UploadGate {
  readonly #limit: number
  readonly #onChange: (active: number) => void
  #active = 0

  /** `onChange` hears of every new number. */
  constructor(limit: number, onChange: (active: number) => void) {
    this.#limit = limit
    this.#onChange = onChange
  }

  /** Counts a request in; gives what counts it out. TOOMANYREQUESTS when there are as many as may be. */
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
