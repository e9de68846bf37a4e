/** Newline-delimited JSON. */

// Not in TypeScript's library yet.
const { rawJSON } = JSON as unknown as { readonly rawJSON: (text: string) => unknown }

/** One value as a line. bigint members become plain numbers, which JSON's own numbers have no limit against; what
 *  could be HTML is escaped, for dockerd's lines are so byte for byte. */
export function formatJsonLine(value: unknown): string {
  return `${JSON.stringify(value, bigintAsNumber).replace(/[<>&\u2028\u2029]/g, escaped)}\r\n`
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

function bigintAsNumber(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? rawJSON(String(value)) : value
}
