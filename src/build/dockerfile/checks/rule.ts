/** What a build check is. https://docs.docker.com/reference/build-checks/ */

import type { Dockerfile } from '../parse/parse-dockerfile.ts'
import type { IgnoreMatcher } from '../paths/ignore-file.ts'
import type { GlobalScope } from '../stages/global-scope.ts'
import type { LogicalLine } from '../text/logical-line.ts'
import type { StageFacts } from './stage-facts.ts'

/** What a rule found, before it gets its name. */
export interface Violation {
  readonly line: LogicalLine
  readonly message: string
  /** Where in the line; its start when it is not given. */
  readonly offset?: number
}

/** What rules look at. */
export interface CheckContext {
  readonly dockerfile: Dockerfile
  readonly scope: GlobalScope
  /** The context's ignore file, if it has one. */
  readonly ignore?: IgnoreMatcher
  readonly stages: readonly StageFacts[]
}

/** A build check: a row in a table. */
export interface Rule {
  readonly name: string
  /** What it asks for, in one sentence. */
  readonly description: string
  /** Runs only when the check options ask for it. */
  readonly experimental?: true
  find(context: CheckContext): Iterable<Violation>
}
