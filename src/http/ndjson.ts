/** Newline-delimited JSON. */

// Not in TypeScript's library yet.
const { rawJSON } = JSON as unknown as { readonly rawJSON: (text: string) => unknown }

/** One value as a line. bigint members become plain numbers, which JSON's own numbers have no limit against. */
export function formatJsonLine(value: unknown): string {
  return `${JSON.stringify(value, bigintAsNumber)}\r\n`
}

function bigintAsNumber(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? rawJSON(String(value)) : value
}
