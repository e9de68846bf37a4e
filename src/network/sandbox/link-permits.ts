/** Ports that links open between containers of the default bridge while `icc` is off. Kept in memory only: after a
 *  start of the daemon, `containers` sets all permits again. */
import type { Firewall } from '../firewall/firewall.ts'
import type { Forwarding } from '../firewall/firewall-rules.ts'
import { type NetworkLookup, permitForwardings } from '../ports/publication.ts'
import type { LinkPermit } from '../record/network-record.ts'
import type { SandboxRecord } from '../record/sandbox-index.ts'

interface Parts {
  readonly index: { find(id: string): SandboxRecord | undefined }
  readonly networks: NetworkLookup
  readonly firewall: Firewall
}

export class LinkPermits {
  readonly #parts: Parts
  /** By the id of the container that is allowed to connect. */
  readonly #permits = new Map<string, readonly Forwarding[]>()

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** All current permits. */
  all(): Forwarding[] {
    return [...this.#permits.values()].flat()
  }

  /** Replaces the permits of a container. Ports of containers that are not on the default bridge are left out. */
  async set(containerId: string, permits: readonly LinkPermit[]): Promise<void> {
    const own = this.#parts.index.find(containerId)
    const next = own === undefined ? [] : permitForwardings(own, permits, this.#parts)
    const before = this.#permits.get(containerId) ?? []
    if (before.length + next.length === 0) return
    if (next.length > 0) this.#permits.set(containerId, next)
    else this.#permits.delete(containerId)
    this.#parts.firewall.withdraw(before)
    await this.#parts.firewall.publish(next)
  }

  /** Withdraws the permits of a container that ends, and those to it: the next container with its address must not
   *  inherit them. */
  end({ containerId, endpoints }: SandboxRecord): void {
    if (this.#permits.size === 0) return
    const addresses = new Set(endpoints.map(({ ipv4 }) => ipv4))
    for (const [parent, list] of this.#permits) {
      const kept = parent === containerId ? [] : list.filter(({ address }) => !addresses.has(address))
      if (kept.length === list.length) continue
      this.#parts.firewall.withdraw(list.filter((one) => !kept.includes(one)))
      if (kept.length > 0) this.#permits.set(parent, kept)
      else this.#permits.delete(parent)
    }
  }
}
