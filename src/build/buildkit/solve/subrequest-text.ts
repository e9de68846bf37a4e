/** Answers to questions about a Dockerfile as text, for clients that don't know the question (`result.txt`). */

/** A range of lines of a Dockerfile. */
export interface Location {
  readonly sourceIndex: number
  readonly ranges: readonly [{ readonly start: { readonly line: number }; readonly end: { readonly line: number } }]
}

/** The answer to `frontend.lint`. */
export interface LintAnswer {
  readonly warnings: readonly {
    readonly ruleName: string
    readonly description: string
    readonly url: string
    readonly detail: string
    readonly location: Location
  }[]
  readonly sources: readonly object[]
  /** The error that prevents a build. */
  readonly buildError?: { readonly message: string; readonly location: Location }
}

/** A paragraph for each warning: the rule with its page, a description, and the lines. */
export function lintText(
  { warnings, buildError }: LintAnswer,
  { text, file }: { readonly text: string; readonly file: string },
): string {
  const lines = text.split(/\r?\n/)
  const shown = warnings.map(({ ruleName, url, description, detail, location }) => {
    const [title, about] = [`\nWARNING: ${ruleName}${url === '' ? '' : ` - ${url}`}`, `${description}\n${detail}\n`]
    return `${title}\n${about}\n${excerpt(lines, file, location)}`
  })
  const failed =
    buildError === undefined ? '' : `\n${excerpt(lines, file, buildError.location)}ERROR: ${buildError.message}\n`
  return `${shown.join('')}${failed}`
}

function excerpt(lines: readonly string[], file: string, { ranges: [{ start, end }] }: Location): string {
  const [from, to] = [Math.max(1, start.line - 2), Math.min(lines.length, end.line + 2)]
  const rows = lines.slice(from - 1, to).map((line, at) => {
    const number = from + at
    const mark = number >= start.line && number <= end.line ? '>>>' : '   '
    return `${String(number).padStart(4)} | ${mark} ${line}`
  })
  const rule = '-'.repeat(20)
  return `${[`${file}:${start.line}`, rule, ...rows, rule].join('\n')}\n`
}

interface OutlineAnswer {
  readonly name: string
  readonly args: readonly { readonly name: string; readonly value: string; readonly description: string }[]
  readonly secrets: readonly { readonly name: string; readonly required: boolean }[]
  readonly ssh: readonly { readonly name: string; readonly required: boolean }[]
}

/** The inputs of a target, a table for each kind. */
export function outlineText({ name, args, secrets, ssh }: OutlineAnswer): string {
  const mounts = (list: OutlineAnswer['secrets']) => list.map((one) => [one.name, one.required ? 'true' : ''])
  const tables = [
    table(
      ['BUILD ARG', 'VALUE', 'DESCRIPTION'],
      args.map((one) => [one.name, one.value, one.description]),
    ),
    table(['SECRET', 'REQUIRED'], mounts(secrets)),
    table(['SSH', 'REQUIRED'], mounts(ssh)),
  ]
  return [...(name === '' ? [] : [`TARGET: ${name}\n`]), ...tables.filter((text) => text !== '')].join('\n')
}

/** The stages that can be built. */
export function targetsText({
  targets,
}: {
  readonly targets: readonly { readonly name: string; readonly default: boolean; readonly description: string }[]
}): string {
  const shown = ({ name, default: isDefault }: (typeof targets)[number]) =>
    isDefault ? (name === '' ? '(default)' : `${name} (default)`) : name
  return table(
    ['TARGET', 'DESCRIPTION'],
    targets.map((one) => [shown(one), one.description]),
  )
}

/** The questions that the frontend answers. */
export function describedTextOf(described: Readonly<Record<string, string>>): string {
  return table(
    ['NAME', 'VERSION', 'DESCRIPTION'],
    Object.entries(described).map(([name, text]) => [name.replace(/^frontend\./, ''), '1.0.0', text]),
  )
}

/** A table with aligned columns. '' when there are no rows. */
function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return ''
  const all = [titles, ...rows]
  const widths = titles.map((_, at) => Math.max(...all.map((row) => (row[at] ?? '').length)))
  const lines = all.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('   ')
      .trimEnd(),
  )
  return `${lines.join('\n')}\n`
}
