/** Links on the default bridge, in both directions: the containers that a container links to, and those that link to
 *  it. Kept in memory only, and made from the records. A look-up takes constant time. */

/** A link from one container to another, under an alias. */
export interface ContainerLink {
  /** Id of the container that is linked to. */
  readonly target: string
  readonly alias: string
}

/** The same link, seen from its target. */
export interface LinkParent {
  readonly parent: string
  readonly alias: string
}

/** All links, by both ends. */
export class LinkIndex {
  readonly #parents = new Map<string, LinkParent[]>()
  readonly #links = new Map<string, readonly ContainerLink[]>()

  /** Replaces all links of `parent`. */
  set(parent: string, links: readonly ContainerLink[]): void {
    const before = this.#links.get(parent)
    if (before === links || (before === undefined && links.length === 0)) return
    for (const { target } of before ?? []) {
      const rest = (this.#parents.get(target) ?? []).filter((one) => one.parent !== parent)
      if (rest.length > 0) this.#parents.set(target, rest)
      else this.#parents.delete(target)
    }
    if (links.length > 0) this.#links.set(parent, links)
    else this.#links.delete(parent)
    for (const { target, alias } of links) {
      this.#parents.set(target, [...(this.#parents.get(target) ?? []), { parent, alias }])
    }
  }

  /** The containers that link to `target`, with the alias that each of them uses. */
  parentsOf(target: string): readonly LinkParent[] {
    return this.#parents.get(target) ?? []
  }
}
