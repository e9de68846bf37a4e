/** Links of the default bridge both ways: which containers a container names, and by whom it is named. Memory only,
 *  made from the records; each look-up takes the same time however many containers there are. */

/** A container has another one under a name of its own. */
export interface ContainerLink {
  /** Id of the container that is named. */
  readonly target: string
  readonly alias: string
}

/** The same from the other end. */
export interface LinkParent {
  readonly parent: string
  readonly alias: string
}

export class LinkIndex {
  readonly #parents = new Map<string, LinkParent[]>()
  readonly #links = new Map<string, readonly ContainerLink[]>()

  /** Makes these the links of `parent`. */
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

  /** Who has a container under which name. */
  parentsOf(target: string): readonly LinkParent[] {
    return this.#parents.get(target) ?? []
  }
}
