/** Anything that may stand on another of its kind. */
export interface Stacked<K extends string> {
  readonly key: K
  readonly parent: string | undefined
}

/** The keys in an order in which each can be removed after all that stand on it. Their age says nothing of that: layers
 *  are unpacked side by side, and the lower one may be done last. */
export function childrenFirst<K extends string>(items: readonly Stacked<K>[]): K[] {
  const parents = new Map<string, string | undefined>(items.map(({ key, parent }) => [key, parent]))
  const depths = new Map<string, number>()
  const depthOf = (key: string): number => {
    const path: string[] = []
    let next: string | undefined = key
    while (next !== undefined && parents.has(next) && !depths.has(next) && !path.includes(next)) {
      path.push(next)
      next = parents.get(next)
    }
    let depth = next === undefined ? 0 : (depths.get(next) ?? 0)
    for (const one of path.reverse()) depths.set(one, ++depth)
    return depths.get(key) ?? 0
  }
  return items
    .map(({ key }) => ({ key, depth: depthOf(key) }))
    .sort((one, other) => other.depth - one.depth)
    .map(({ key }) => key)
}
