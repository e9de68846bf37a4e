/** Something that may have a parent of its own kind. */
export interface Stacked<K extends string> {
  readonly key: K
  readonly parent: string | undefined
}

/** The keys, each child before its parent, so that they can be removed in this order. Ages don't give this order:
 *  layers are unpacked side by side, and a lower one may be completed last. */
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
