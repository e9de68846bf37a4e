/** What a case of the corpus is: one small Dockerfile, one feature or one error. */

export interface CorpusCase {
  readonly name: string
  readonly dockerfile: string
  /** Files beside those that every context has (see `corpus-context.ts`); a mode stands behind the content. */
  readonly files?: Readonly<Record<string, string | readonly [content: string, mode: number]>>
  /** More arguments of `docker build`. */
  readonly args?: readonly string[]
  /** Of an error: its line, where that isn't the last one; 0: it has none. */
  readonly line?: number
}

/** Makes cases of a table: name → Dockerfile, or Dockerfile and the rest. */
export function casesOf(
  table: Readonly<
    Record<string, string | readonly [dockerfile: string, rest: Omit<CorpusCase, 'name' | 'dockerfile'>]>
  >,
): readonly CorpusCase[] {
  return Object.entries(table).map(([name, value]) => {
    const [dockerfile, rest] = typeof value === 'string' ? [value, {}] : value
    return { name, dockerfile: `${dockerfile}\n`, ...rest }
  })
}
