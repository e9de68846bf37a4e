/** One line of CSV (RFC 4180), the form of `--mount` and `--network`. */
import { invalidArgument } from '../../base/index.ts'

/** The fields of a line. A quoted field may contain commas and doubled quotes.
 *  Throws `invalidArgument` with Go's text for a misplaced quote. */
export function splitCsv(line: string): string[] {
  const fields: string[] = []
  for (let at = 0; at <= line.length; ) {
    const [, quoted, end] = /^"((?:[^"]|"")*)"(,|$)/.exec(line.slice(at)) ?? []
    if (quoted !== undefined && end !== undefined) {
      fields.push(quoted.replaceAll('""', '"'))
      // Skips the field, its two quotes and the comma.
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
