/** A scheduler of a test: work that waits for a gate goes on when the test lets it through, one gate at a time, so that
 *  the order of all steps is the test's choice. Time passes only when a timer is chosen.
 *  Gates of work that was dropped (a killed daemon's) never open. */
import type { Clock } from '../../src/containers/ports/clock.ts'

/** The daemon that a gate or timer belongs to. The gates and timers of a dead one never open or fire. */
export interface Owner {
  readonly dead: boolean
}

interface Gate {
  readonly name: string
  readonly owner: Owner | undefined
  readonly open: () => void
}

interface Timer {
  readonly owner: Owner
  readonly atMs: number
  readonly ms: number
  readonly background: boolean
  readonly callback: () => void
}

/** Chooses one of so many steps by its number. */
export type Choose = (options: number) => number

export interface RunOptions {
  readonly check?: () => void
  readonly until?: () => boolean
}

const maxSteps = 400
/** Timers that are longer fire only when nothing else can happen: what the host does takes less than that. */
const raceLimitMs = 2000
const startNs = 1_700_000_000_000_000_000n

export class Scheduler {
  readonly trace: string[] = []
  #gates: Gate[] = []
  #timers: Timer[] = []
  #nowMs = 0

  /** Resolves when the test lets this step happen. Without an owner it is the host's own, which outlives a daemon. */
  gate(name: string, owner?: Owner): Promise<void> {
    return new Promise((open) => this.#gates.push({ name, owner, open }))
  }

  /** A clock for one owner. */
  clock(owner: Owner): Clock {
    return {
      nowNs: () => this.nowNs,
      after: (ms, callback, { background = false } = {}) => {
        const timer = { owner, atMs: this.#nowMs + ms, ms, background, callback }
        this.#timers.push(timer)
        return () => {
          this.#timers = this.#timers.filter((one) => one !== timer)
        }
      },
    }
  }

  get nowNs(): bigint {
    return startNs + BigInt(Math.round(this.#nowMs * 1e6))
  }

  /** Lets steps happen until none is left, or `until` says so; `check` is called after each of them. Throws when there is
   *  no end. */
  async run(choose: Choose, { check, until }: RunOptions = {}): Promise<void> {
    await settled()
    for (let steps = 0; until?.() !== true; steps += 1) {
      const options = this.#options()
      if (options.length === 0) return
      if (steps > maxSteps) throw new Error(`no end: ${this.trace.slice(-20).join(', ')}`)
      const number = options.length === 1 ? 0 : choose(options.length)
      options[number]?.()
      await settled()
      check?.()
    }
  }

  #options(): (() => void)[] {
    this.#gates = this.#gates.filter(({ owner }) => owner?.dead !== true)
    this.#timers = this.#timers.filter(({ owner }) => !owner.dead)
    const gates = this.#gates.map((gate) => () => {
      this.#gates = this.#gates.filter((one) => one !== gate)
      this.trace.push(gate.name)
      gate.open()
    })
    const timers = this.#timers.filter(({ background }) => !background)
    const first = timers.reduce<Timer | undefined>(
      (best, one) => (best === undefined || one.atMs < best.atMs ? one : best),
      undefined,
    )
    if (first === undefined || (gates.length > 0 && first.ms > raceLimitMs)) return gates
    return [...gates, () => this.#fire(first)]
  }

  #fire(timer: Timer): void {
    this.#timers = this.#timers.filter((one) => one !== timer)
    this.#nowMs = Math.max(this.#nowMs, timer.atMs)
    this.trace.push(`timer of ${timer.ms} ms`)
    timer.callback()
  }
}

/** Resolves when all promises that can settle without a further step have settled. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
