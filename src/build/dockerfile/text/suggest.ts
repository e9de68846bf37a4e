/** "did you mean …": finds the known word nearest to a mistyped one. */

const farthest = 2

/** Gives ` (did you mean x?)` for the nearest of `known` within two edits, ignoring case, or ''. `show` formats the
 *  word. */
export function didYouMean(word: string, known: Iterable<string>, show = (one: string) => one): string {
  const nearest = nearestWord(word, known)
  return nearest === undefined ? '' : ` (did you mean ${show(nearest)}?)`
}

/** The word of `known` with the fewest edits from `word`: at most two, and fewer than the word has letters. Undefined
 *  when there is none, or when `word` is a known word. */
export function nearestWord(word: string, known: Iterable<string>): string | undefined {
  const wanted = word.toLowerCase()
  let best: string | undefined
  let bestDistance = Math.min(farthest, wanted.length - 1) + 1
  for (const one of known) {
    if (one === word) return undefined
    const distance = editDistance(wanted, one.toLowerCase(), bestDistance)
    if (distance >= bestDistance) continue
    best = one
    bestDistance = distance
  }
  return best
}

/** Levenshtein distance in which swapping neighbors is one edit. Gives `limit` when the distance is that or more. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit
  let before: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1]
      let cost = Math.min((previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (previous[j - 1] ?? 0) + (same ? 0 : 1))
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      if (swapped) cost = Math.min(cost, (before[j - 2] ?? 0) + 1)
      row.push(cost)
    }
    before = previous
    previous = row
  }
  return Math.min(previous[b.length] ?? limit, limit)
}
