/** What completion offers. */

import type { ClientSettings } from '../../config/client/index.ts'
import type { CliClient } from '../command/command.ts'

export interface Candidate {
  readonly value: string
  readonly description?: string
}

/** What is completed, and by what words it is preceded. */
export interface CompletionPoint {
  readonly settings: ClientSettings
  /** A daemon that does not answer offers nothing. */
  readonly client: CliClient
  /** The word so far. */
  readonly word: string
  /** Operands before it. */
  readonly operands: readonly string[]
  /** Flags that were given. */
  readonly hasFlag: (name: string) => boolean
}

/** What a shell is answered. */
export interface Completion {
  readonly candidates: readonly Candidate[]
  /** The shell offers files as well. */
  readonly withFiles: boolean
}

/** Offers candidates; those that don't begin with the word are dropped by who asks. */
export type Source = (point: CompletionPoint) => Promise<readonly Candidate[]> | readonly Candidate[]

/** Names of files, which the shell knows best. */
export const files = 'files'

/** These words. */
export function words(...values: readonly string[]): Source {
  return () => values.map((value) => ({ value }))
}

/** Nothing that could be known. */
export const nothing: Source = () => []

/** All that several sources offer. */
export function anyOf(...sources: readonly Source[]): Source {
  return async (point) => (await Promise.all(sources.map(async (source) => source(point)))).flat()
}
