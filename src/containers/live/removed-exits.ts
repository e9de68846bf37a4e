/** Exit codes of containers that were removed a moment ago. A client that starts a container with `--rm` and then waits
 *  for it would find no such container if the container was quick. */

/** How long an exit code is kept, in milliseconds. */
const keptForMs = 60_000
/** How many are kept at most; the oldest go first. */
const keptCount = 1000

interface RemovedExit {
  readonly id: string
  readonly name: string
  readonly exitCode: number
  readonly at: number
}

/** Keeps exit codes in memory, for a minute. A restart of the daemon forgets them. */
export class RemovedExits {
  /** By id, the oldest first. */
  readonly #exits = new Map<string, RemovedExit>()
  readonly #now: () => number

  /** `now`: a clock in milliseconds that never goes back. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** Keeps the exit code of a container that is being removed. `name`: without a slash. */
  remember(container: Pick<RemovedExit, 'id' | 'name' | 'exitCode'>): void {
    this.#dropOld()
    const { id, name, exitCode } = container
    this.#exits.set(id, { id, name, exitCode, at: this.#now() })
    const [oldest] = this.#exits.keys()
    if (this.#exits.size > keptCount && oldest !== undefined) this.#exits.delete(oldest)
  }

  /** Looks an exit code up by full id, name (with or without a slash) or unique id prefix, in this order. Of several
   *  containers that had the name, the last one counts. Undefined if there is none. */
  find(idOrName: string): number | undefined {
    this.#dropOld()
    const name = idOrName.startsWith('/') ? idOrName.slice(1) : idOrName
    const all = [...this.#exits.values()]
    const exact = this.#exits.get(idOrName) ?? all.findLast((one) => one.name === name)
    if (exact !== undefined || !/^[0-9a-f]+$/.test(idOrName)) return exact?.exitCode
    const [first, second] = all.filter(({ id }) => id.startsWith(idOrName))
    return second === undefined ? first?.exitCode : undefined
  }

  #dropOld(): void {
    const limit = this.#now() - keptForMs
    for (const { id, at } of this.#exits.values()) {
      if (at > limit) return
      this.#exits.delete(id)
    }
  }
}
