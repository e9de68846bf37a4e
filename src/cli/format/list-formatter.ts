/** `--format` of the commands that list: the default table, `table TEMPLATE`, `json`, `raw` and any template. */
import { invalidArgument, messageOf } from '../../base/index.ts'
import { GoStruct, GoTemplate, goJson, headerFunctions, LazyValue } from '../../template/index.ts'
import { alignColumns } from './table.ts'

/** The columns of a list, which a template may name. */
export interface ListLayout<T> {
  /** The name of the type in messages. */
  readonly typeName: string
  /** Field → heading of its column. */
  readonly headings: Readonly<Record<string, string>>
  /** Field → its value for an item. */
  readonly fields: Readonly<Record<string, (item: T) => unknown>>
  /** Methods with one argument, such as `Label`. */
  readonly methods?: Readonly<Record<string, (item: T, argument: string) => unknown>> | undefined
  /** Fields that `json` leaves out. */
  readonly hiddenInJson?: readonly string[]
}

/** Formats `items`. `format` is a template, or starts with `table`. Throws with the texts of Docker's CLI. */
export function formatList<T>(items: readonly T[], format: string, layout: ListLayout<T>): string {
  const isTable = format.startsWith('table')
  const source = (isTable ? format.slice('table'.length) : format).replace(/^ +| +$/g, '')
  const template = inWords('template parsing error', () => parseFormat(source === 'json' ? '{{json .}}' : source))
  let text = ''
  for (const item of items) {
    text += `${inWords('template parsing error', () => template.execute(rowOf(item, layout)))}\n`
  }
  if (!isTable) return text
  // The heading is the same template, executed on the names of the columns.
  return alignColumns(`${template.execute(headingsOf(layout), { functions: headerFunctions })}\n${text}`)
}

/** The fields that a format reads, found by executing it on an empty row. As in Docker, the format is executed as the
 *  user typed it, including a `table` in front. Throws with the texts of Docker's CLI. */
export function usedFields<T>(format: string, layout: ListLayout<T>): ReadonlySet<string> {
  const used = new Set<string>()
  const record = (name: string): string => {
    used.add(name)
    return ''
  }
  const fields = Object.keys(layout.fields).map((name) => [name, new LazyValue(() => record(name))] as const)
  const methods = Object.keys(layout.methods ?? {}).map((name) => [name, (_argument: string) => record(name)] as const)
  const row = new GoStruct(layout.typeName, new Map(fields), {
    methods: Object.fromEntries(methods),
    json: () => {
      for (const name of Object.keys(layout.fields)) used.add(name)
      return ''
    },
  })
  const template = inWords('failed to parse template', () => new GoTemplate(format))
  inWords('failed to execute template', () => template.execute(row))
  return used
}

/** Parses a template. `\t` and `\n` in the user's text mean tab and newline. */
function parseFormat(source: string): GoTemplate {
  return new GoTemplate(source.replaceAll('\\t', '\t').replaceAll('\\n', '\n'))
}

function inWords<T>(prefix: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw invalidArgument(`${prefix}: ${messageOf(error)}`, { cause: error })
  }
}

/** An item in the form that a template sees. */
export function rowOf<T>(item: T, layout: ListLayout<T>): GoStruct {
  const fields = new Map<string, unknown>()
  for (const [name, compute] of Object.entries(layout.fields)) fields.set(name, new LazyValue(() => compute(item)))
  const methods = Object.entries(layout.methods ?? {}).map(([name, call]) => [
    name,
    (argument: string) => call(item, argument),
  ])
  return new GoStruct(layout.typeName, fields, {
    methods: Object.fromEntries(methods),
    json: () => {
      const shown = [...fields].filter(([name]) => layout.hiddenInJson?.includes(name) !== true)
      return goJson(new Map(shown), { escapeHtml: true })
    },
  })
}

function headingsOf<T>({ typeName, headings, methods }: ListLayout<T>): GoStruct {
  // The heading of `{{.Label "a"}}` is the part of the label's name behind its last dot.
  const calls = Object.keys(methods ?? {}).map((name) => [
    name,
    (argument: string) => argument.split('.').at(-1)?.replace(/[-_]/g, ' ') ?? '',
  ])
  return new GoStruct(typeName, new Map(Object.entries(headings)), { methods: Object.fromEntries(calls) })
}
