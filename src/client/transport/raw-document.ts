import type { ApiResponse } from './transport.ts'

/** An answer as the daemon wrote it, and parsed. The text keeps the order of keys, and integers that a JavaScript
 *  number cannot hold. */
export interface RawDocument<T> {
  readonly text: string
  readonly value: T
}

/** Reads a whole answer. */
export async function rawDocument<T>(response: ApiResponse): Promise<RawDocument<T>> {
  const text = (await response.bytes()).toString('utf8')
  return { text, value: JSON.parse(text) as T }
}
