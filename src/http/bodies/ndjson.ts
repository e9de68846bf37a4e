/** Newline-delimited JSON. */

// TypeScript's library does not declare it yet.
const { rawJSON } = JSON as unknown as { readonly rawJSON: (text: string) => unknown }

/** Formats one value as a line with its newline. A bigint becomes a plain number, because JSON numbers have no limit.
 *  Characters of HTML are escaped, so that the bytes are the same as dockerd's. */
export function formatJsonLine(value: unknown): string {
  return `${JSON.stringify(value, bigintAsNumber).replace(/[<>&\u2028\u2029]/g, escaped)}\r\n`
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

function bigintAsNumber(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? rawJSON(String(value)) : value
}
