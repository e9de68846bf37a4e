/** Newline-delimited JSON, both directions. */
import { internal, messageOf } from '../base/index.ts'

/** One value as a line. bigint members become plain numbers, which JSON's own numbers have no limit against. */
export function formatJsonLine(value: unknown): string {
  return `${JSON.stringify(value, bigintAsNumber)}\r\n`
}

// Not in TypeScript's library yet.
const { rawJSON } = JSON as unknown as { readonly rawJSON: (text: string) => unknown }

function bigintAsNumber(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? rawJSON(String(value)) : value
}

/** Parses a stream of lines as they come. Empty lines are skipped; the last line needs no end.
 *  Whole numbers that a number can't hold exactly come as bigint. */
export async function* readJsonLines(source: AsyncIterable<Buffer | string>): AsyncGenerator<unknown, void, undefined> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of source) {
    const text = rest + (typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true }))
    const lines = text.split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line.trim() !== '') yield parseLine(line)
  }
  if (rest.trim() !== '') yield parseLine(rest)
}

// The third argument, the literal's own text, is not in TypeScript's library yet.
function exactIntegers(this: unknown, _key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || !Number.isInteger(value) || Number.isSafeInteger(value)) return value
  return context?.source !== undefined && /^-?\d+$/.test(context.source) ? BigInt(context.source) : value
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line, exactIntegers)
  } catch (error) {
    throw internal(`invalid JSON line: ${messageOf(error)}`, { cause: error })
  }
}
