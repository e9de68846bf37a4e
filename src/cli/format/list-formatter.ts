/** `--format` of the commands that list: the default table, `table TEMPLATE`, `json`, `raw` and free templates. */
import { invalidArgument, messageOf } from '../../base/index.ts'
import { GoStruct, GoTemplate, goJson, headerFunctions, LazyValue } from '../../template/index.ts'
import { alignColumns } from './table.ts'

/** What a list shows: the columns that a template may name and the formats that have names. */
export interface ListLayout<T> {
  /** The type's name in messages. */
  readonly typeName: string
  /** Field → heading of its column. */
  readonly headings: Readonly<Record<string, string>>
  /** Field → text of an item. */
  readonly fields: Readonly<Record<string, (item: T) => unknown>>
  /** Functions with one argument, such as `Label`. */
  readonly methods?: Readonly<Record<string, (item: T, argument: string) => unknown>> | undefined
  /** Fields that `json` leaves out. */
  readonly hiddenInJson?: readonly string[]
}

/** Formats `items` by `format`, which is a template or starts with `table`. Throws as Docker's CLI words it. */
export function formatList<T>(items: readonly T[], format: string, layout: ListLayout<T>): string {
  const isTable = format.startsWith('table')
  const source = (isTable ? format.slice('table'.length) : format).replace(/^ +| +$/g, '')
  const template = inWords('template parsing error', () => parseFormat(source === 'json' ? '{{json .}}' : source))
  let text = ''
  for (const item of items) {
    text += `${inWords('template parsing error', () => template.execute(rowOf(item, layout)))}\n`
  }
  if (!isTable) return text
  // The heading is the same template over the names of the columns.
  return alignColumns(`${template.execute(headingsOf(layout), { functions: headerFunctions })}\n${text}`)
}

/** The fields that a format reads, as far as a try on a row without content shows it; it is tried as it was typed,
 *  `table` in front of it too. Throws as Docker's CLI words it. */
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

/** A template as the user typed it, where `\t` and `\n` stand for tab and newline. */
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

/** An item as a template sees it. */
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
  // `{{.Label "a"}}` heads its column with what stands behind the last dot of the label's name.
  const calls = Object.keys(methods ?? {}).map((name) => [
    name,
    (argument: string) => argument.split('.').at(-1)?.replace(/[-_]/g, ' ') ?? '',
  ])
  return new GoStruct(typeName, new Map(Object.entries(headings)), { methods: Object.fromEntries(calls) })
}
