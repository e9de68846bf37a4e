/** One line of CSV (RFC 4180), as `--mount` and `--network` are written. */
import { invalidArgument } from '../../base/index.ts'

/** The fields of a line; one in quotes may hold commas, and quotes that are doubled.
 *  Throws `invalidArgument` with Go's text for quotes that don't belong where they are. */
export function splitCsv(line: string): string[] {
  const fields: string[] = []
  for (let at = 0; at <= line.length; ) {
    const [, quoted, end] = /^"((?:[^"]|"")*)"(,|$)/.exec(line.slice(at)) ?? []
    if (quoted !== undefined && end !== undefined) {
      fields.push(quoted.replaceAll('""', '"'))
      // With the two quotes and the comma.
      at += quoted.length + 3
      continue
    }
    const comma = line.indexOf(',', at)
    const field = line.slice(at, comma === -1 ? undefined : comma)
    const quote = field.indexOf('"')
    if (quote === 0)
      throw invalidArgument(`parse error on line 1, column ${line.length + 1}: extraneous or missing " in quoted-field`)
    if (quote > 0) throw invalidArgument(`parse error on line 1, column ${at + quote + 1}: bare " in non-quoted-field`)
    fields.push(field)
    at += field.length + 1
  }
  return fields
}
