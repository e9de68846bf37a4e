/** Progress in the form of BuildKit's SolveStatus, as `--progress rawjson` prints it. `solve-events.ts` makes it
 *  from the builder's events. Times are RFC 3339 with nanoseconds.
 *  https://github.com/moby/buildkit/blob/master/client/graph.go */

/** An update of a build. Each element replaces the earlier one with the same digest or id. */
export interface BuildStatus {
  readonly vertexes?: readonly BuildVertex[]
  readonly statuses?: readonly BuildVertexStatus[]
  readonly logs?: readonly BuildVertexLog[]
  readonly warnings?: readonly BuildWarning[]
}

/** A step: an instruction, a transfer, an export. */
export interface BuildVertex {
  /** The identity of the step. It is not the digest of any content. */
  readonly digest: string
  readonly inputs?: readonly string[]
  /** The name that users see: `[build 2/4] RUN make`. */
  readonly name: string
  readonly started?: string
  readonly completed?: string
  /** The result was already there, so nothing was done. */
  readonly cached?: boolean
  readonly error?: string
}

/** An activity inside a step, with or without an amount. */
export interface BuildVertexStatus {
  readonly id: string
  readonly vertex: string
  readonly name?: string
  /** The amount so far in bytes. Without `total`, the end is unknown. */
  readonly current: number
  readonly total?: number
  readonly timestamp: string
  readonly started?: string
  readonly completed?: string
}

/** Output of a step's program. */
export interface BuildVertexLog {
  readonly vertex: string
  /** 1 is standard output, 2 standard error. */
  readonly stream: number
  /** In Base64. */
  readonly data: string
  readonly timestamp: string
}

/** A finding of a build check. */
export interface BuildWarning {
  readonly vertex: string
  /** 1 for checks of Dockerfiles. */
  readonly level: number
  /** One sentence, in Base64. */
  readonly short: string
  /** Further texts, each in Base64. */
  readonly detail?: readonly string[]
  readonly url?: string
  readonly sourceInfo?: BuildSourceInfo
  readonly range?: readonly BuildSourceRange[]
}

/** The file that a warning is about. */
export interface BuildSourceInfo {
  readonly filename: string
  /** The whole text, in Base64. */
  readonly data: string
}

/** Lines count from 1, characters from 0. */
export interface BuildSourceRange {
  readonly start: { readonly line: number; readonly character?: number }
  readonly end: { readonly line: number; readonly character?: number }
}
