/** `inspect` of all kinds of objects: the daemon's JSON, indented, or a template applied to it. */
import { invalidArgument, messageOf } from '../../base/index.ts'
import { GoTemplate, goJson, JsonNumber, toGoMaps } from '../../template/index.ts'
import { indentJson } from '../format/indent-json.ts'
import { toGoStructs } from '../format/inspect-value.ts'
import type { Output } from '../terminal/output.ts'
import { CliError } from './cli-error.ts'

/** The type of the objects, for kinds where a template sees typed values only. For other kinds, a template that
 *  fails on the type is executed again on the daemon's own answer. */
export interface InspectedType {
  /** The name of the type in messages. */
  readonly typeName?: string
}

/** Prints the result of `find` for each name. Names that are not found are reported together at the end. */
export async function inspectObjects(
  output: Output,
  names: readonly string[],
  format: string,
  find: (name: string) => Promise<string>,
  { typeName }: InspectedType = {},
): Promise<void> {
  const template = format === '' || format === 'json' ? undefined : parseTemplate(format)
  const texts: string[] = []
  const failures: string[] = []
  let printed = ''
  for (const name of names) {
    try {
      const text = await find(name)
      if (template === undefined) texts.push(text)
      else printed += `${executeOn(template, text, typeName)}\n`
    } catch (error) {
      failures.push(messageOf(error))
    }
  }
  if (template !== undefined) output.write(printed === '' ? '\n' : printed)
  else if (format === 'json') output.write(`[${texts.map((text) => goJson(toGoMapsInOrder(text))).join(',')}]\n`)
  else output.write(`${indentJson(`[${texts.join(',')}]`)}\n`)
  if (failures.length > 0) throw new CliError(1, failures.join('\n'))
}

function parseTemplate(format: string): GoTemplate {
  try {
    return new GoTemplate(format)
  } catch (error) {
    throw new CliError(64, `template parsing error: ${messageOf(error)}`)
  }
}

/** Executes a template on Go's view of the answer, where every field exists; if that fails, on the keys that the answer
 *  has. */
function executeOn(template: GoTemplate, text: string, typeName: string | undefined): string {
  try {
    return template.execute(toGoStructs(parseExact(text), '', '', typeName))
  } catch (error) {
    if (typeName !== undefined) throw invalidArgument(`template parsing error: ${messageOf(error)}`, { cause: error })
    // The second error is the better one: it names keys as the user sees them.
  }
  try {
    return template.execute(toGoMaps(parseAsText(text)), { missingKeyIsError: true })
  } catch (error) {
    throw invalidArgument(`template parsing error: ${messageOf(error)}`, { cause: error })
  }
}

/** Parses JSON. Integers that a number cannot hold become bigints. */
export function parseExact(text: string): unknown {
  return JSON.parse(text, (_key: string, value: unknown, context?: { readonly source?: string }) => {
    const source = context?.source
    if (typeof value !== 'number' || Number.isSafeInteger(value) || source === undefined || !/^-?\d+$/.test(source))
      return value
    return BigInt(source)
  })
}

/** Parses JSON. Numbers stay texts. */
function parseAsText(text: string): unknown {
  return JSON.parse(text, (_key: string, value: unknown, context?: { readonly source?: string }) =>
    typeof value === 'number' ? new JsonNumber(context?.source ?? String(value)) : value,
  )
}

function toGoMapsInOrder(text: string): unknown {
  return toGoStructs(parseExact(text))
}
