/** The definition of a build check. https://docs.docker.com/reference/build-checks/ */

import type { Dockerfile } from '../parse/parse-dockerfile.ts'
import type { IgnoreMatcher } from '../paths/ignore-file.ts'
import type { GlobalScope } from '../stages/global-scope.ts'
import type { LogicalLine } from '../text/logical-line.ts'
import type { StageFacts } from './stage-facts.ts'

/** A violation, before the rule's name is added. */
export interface Violation {
  readonly line: LogicalLine
  readonly message: string
  /** Offset in the line. Default: the start of the line. */
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

/** A build check. */
export interface Rule {
  readonly name: string
  /** One sentence about what the rule wants. */
  readonly description: string
  /** Only runs when the check options ask for it. */
  readonly experimental?: true
  /** Gives all violations in the file. */
  find(context: CheckContext): Iterable<Violation>
}
