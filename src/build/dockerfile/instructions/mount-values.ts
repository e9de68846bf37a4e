/** Values in flags: comma-separated fields with quotes, and sizes in bytes. */
import { ExpansionError } from '../words/expansion-error.ts'

/** Splits a line of comma-separated fields. A field in double quotes may contain commas; `""` in it is a quote. Throws
 *  `ExpansionError` for a quote that is not closed. */
export function parseCsvFields(text: string): readonly string[] {
  const fields: string[] = []
  let rest = text
  for (;;) {
    const quoted = /^"((?:[^"]|"")*)"(?=,|$)/.exec(rest)
    if (quoted === null && rest.startsWith('"')) throw new ExpansionError(`failed to parse csv mounts: ${text}`)
    const field = quoted?.[0] ?? rest.split(',', 1)[0] ?? ''
    fields.push(quoted === null ? field : (quoted[1] ?? '').replaceAll('""', '"'))
    if (rest.length === field.length) return fields
    rest = rest.slice(field.length + 1)
  }
}

/** Parses a size like `64m`, `1.5GiB` or `100` to bytes. Units are powers of 1024. Undefined for anything else. */
export function parseByteSize(text: string): number | undefined {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)\s*([kmgtp]?)(?:i?b)?$/i.exec(text) ?? []
  if (number === undefined) return undefined
  return Math.trunc(Number(number) * 1024 ** (unit === '' ? 0 : ' kmgtp'.indexOf(unit.toLowerCase())))
}
