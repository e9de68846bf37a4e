/** Flag values that are lists of `key=value`: `type=local,dest=out`, `"dest=a,b",type=tar`. As in Docker's flags,
 *  fields are CSV (RFC 4180). */
import { invalidArgument } from '../../../base/index.ts'

/** Splits a line into fields. Throws `invalidArgument` for misplaced quotes. */
export function csvFields(line: string): readonly string[] {
  const fields: string[] = []
  let at = 0
  for (;;) {
    const isQuoted = line[at] === '"'
    const field = isQuoted ? quotedField(line, at) : plainField(line, at)
    fields.push(field.text)
    at = field.end
    if (at >= line.length) return fields
    if (line[at] !== ',')
      throw invalidArgument(`parse error on line 1, column ${at + 1}: extraneous or missing " in quoted-field`)
    at += 1
  }
}

interface Field {
  readonly text: string
  readonly end: number
}

function plainField(line: string, start: number): Field {
  const comma = line.indexOf(',', start)
  const end = comma === -1 ? line.length : comma
  const text = line.slice(start, end)
  const quote = text.indexOf('"')
  if (quote !== -1)
    throw invalidArgument(`parse error on line 1, column ${start + quote + 1}: bare " in non-quoted-field`)
  return { text, end }
}

function quotedField(line: string, start: number): Field {
  let text = ''
  for (let at = start + 1; at < line.length; at += 1) {
    if (line[at] !== '"') text += line[at]
    else if (line[at + 1] === '"') {
      text += '"'
      at += 1
    } else return { text, end: at + 1 }
  }
  throw invalidArgument(`parse error on line 1, column ${line.length + 1}: extraneous or missing " in quoted-field`)
}

/** Splits `key=value` fields into pairs, in order, with keys in lower case. Throws `invalidArgument` for a field
 *  without `=`. */
export function csvPairs(line: string): readonly (readonly [string, string])[] {
  return csvFields(line).map((field) => {
    const equals = field.indexOf('=')
    if (equals === -1) throw invalidArgument(`invalid field '${field}' must be a key=value pair`)
    return [field.slice(0, equals).trim().toLowerCase(), field.slice(equals + 1)]
  })
}
