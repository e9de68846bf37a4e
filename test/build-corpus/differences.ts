/** Where Berth makes something else of a case than the recorded engine, on purpose. docs/build.md lists the reasons. */
import type { ExpectedResult } from './expected-result.ts'

export interface Difference {
  /** In a sentence. */
  readonly reason: string
  readonly expected: ExpectedResult
}

export const differences: Readonly<Record<string, Difference>> = {}
