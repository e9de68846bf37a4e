/** Types of completion, and simple sources of candidates. */

import type { ClientSettings } from '../../config/client/index.ts'
import type { CliClient } from '../command/command.ts'

/** A word that completion offers. */
export interface Candidate {
  readonly value: string
  readonly description?: string
}

/** The word that is completed, and the words before it. */
export interface CompletionPoint {
  readonly settings: ClientSettings
  /** Calls to a daemon that does not answer give no candidates. */
  readonly client: CliClient
  /** The word as far as it is typed. */
  readonly word: string
  /** The operands before the word. */
  readonly operands: readonly string[]
  /** True when the flag precedes the word. */
  readonly hasFlag: (name: string) => boolean
}

/** The answer to a shell. */
export interface Completion {
  readonly candidates: readonly Candidate[]
  /** True if the shell also offers file names. */
  readonly withFiles: boolean
}

/** Gives candidates. The caller drops those that do not begin with the word. */
export type Source = (point: CompletionPoint) => Promise<readonly Candidate[]> | readonly Candidate[]

/** Marks file names, which the shell completes itself. */
export const files = 'files'

/** A source of fixed words. */
export function words(...values: readonly string[]): Source {
  return () => values.map((value) => ({ value }))
}

/** A source without candidates. */
export const nothing: Source = () => []

/** Combines several sources. */
export function anyOf(...sources: readonly Source[]): Source {
  return async (point) => (await Promise.all(sources.map(async (source) => source(point)))).flat()
}
