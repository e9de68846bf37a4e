/** Writes JSON as Go does. https://pkg.go.dev/encoding/json#Marshal */
import { force, GoDuration, GoFloat, GoStruct, JsonNumber, NilCollection, NilPointer, sortedKeys } from './go-value.ts'

/** The JSON of a value: keys of maps sorted, no spaces. `escapeHtml` is what `json.Marshal` does by default. */
export function goJson(value: unknown, { escapeHtml = false }: { readonly escapeHtml?: boolean } = {}): string {
  const text = writeJson(value)
  return escapeHtml ? escapeHtmlInJson(text) : text
}

/** Escapes `<`, `>` and `&` as Go's encoder does. */
export function escapeHtmlInJson(text: string): string {
  return text.replace(/[<>&\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function writeJson(value: unknown): string {
  const known = force(value)
  if (known === undefined || known === null || known instanceof NilCollection || known instanceof NilPointer)
    return 'null'
  if (typeof known === 'bigint') return String(known)
  if (known instanceof GoFloat) return String(known.value)
  if (known instanceof GoDuration) return String(known.ns)
  if (known instanceof JsonNumber) return known.text
  if (typeof known === 'string') return writeString(known)
  if (Array.isArray(known)) return `[${known.map(writeJson).join(',')}]`
  if (known instanceof Map) {
    return `{${sortedKeys(known)
      .map((key) => `${writeString(key)}:${writeJson(known.get(key))}`)
      .join(',')}}`
  }
  if (known instanceof GoStruct) {
    if (known.json !== undefined) return known.json()
    return `{${[...known.fields].map(([name, item]) => `${writeString(name)}:${writeJson(item)}`).join(',')}}`
  }
  return JSON.stringify(known)
}

/** The line separators U+2028 and U+2029 are always escaped, with or without HTML. */
function writeString(text: string): string {
  return JSON.stringify(text).replace(/[\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16)}`)
}
