/** Progress in the form of BuildKit's SolveStatus, as `--progress rawjson` prints it: `solve-events.ts` makes it of what
 *  the builder tells. Times are RFC 3339 with nanoseconds.
 *  https://github.com/moby/buildkit/blob/master/client/graph.go */

/** News of a build. What is told again replaces what was told before under the same digest or id. */
export interface BuildStatus {
  readonly vertexes?: readonly BuildVertex[]
  readonly statuses?: readonly BuildVertexStatus[]
  readonly logs?: readonly BuildVertexLog[]
  readonly warnings?: readonly BuildWarning[]
}

/** A step: an instruction, a transfer, an export. */
export interface BuildVertex {
  /** Its name among all steps; of no other meaning. */
  readonly digest: string
  readonly inputs?: readonly string[]
  /** As people see it: `[build 2/4] RUN make`. */
  readonly name: string
  readonly started?: string
  readonly completed?: string
  /** Nothing was done: its result was there. */
  readonly cached?: boolean
  readonly error?: string
}

/** Something that goes on inside a step, with or without an amount. */
export interface BuildVertexStatus {
  readonly id: string
  readonly vertex: string
  readonly name?: string
  /** Bytes; without a total it is not known. */
  readonly current: number
  readonly total?: number
  readonly timestamp: string
  readonly started?: string
  readonly completed?: string
}

/** What a step's program wrote. */
export interface BuildVertexLog {
  readonly vertex: string
  /** 1: standard output, 2: standard error. */
  readonly stream: number
  /** Base64. */
  readonly data: string
  readonly timestamp: string
}

/** What a build check found. */
export interface BuildWarning {
  readonly vertex: string
  /** 1 for the checks of Dockerfiles. */
  readonly level: number
  /** Base64: one sentence. */
  readonly short: string
  /** Base64 each. */
  readonly detail?: readonly string[]
  readonly url?: string
  readonly sourceInfo?: BuildSourceInfo
  readonly range?: readonly BuildSourceRange[]
}

/** The file that a warning is about. */
export interface BuildSourceInfo {
  readonly filename: string
  /** Base64: its whole text. */
  readonly data: string
}

/** Lines are counted from 1, characters from 0. */
export interface BuildSourceRange {
  readonly start: { readonly line: number; readonly character?: number }
  readonly end: { readonly line: number; readonly character?: number }
}
