/** The status messages of one build: vertexes, statuses, logs and warnings. They are kept as they arrive while the build
 *  runs, and as one gzip-compressed message afterwards. */
import { gunzipSync, gzipSync } from 'node:zlib'
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { type StatusResponse, StatusResponseSchema } from '../gen/progress_pb.ts'
import type { StatusMessage } from '../progress/build-progress.ts'

/** How many steps a build has, and what became of them. */
export interface StepCounts {
  readonly total: number
  readonly completed: number
  readonly cached: number
  readonly warnings: number
}

/** Collects the messages of one build. */
export class BuildTranscript {
  #messages: StatusMessage[] = []
  #packed: Buffer | undefined
  /** The counts at the end of the build; undefined while the build runs. */
  #counts: StepCounts | undefined

  /** Adds a message. Messages that arrive after `pack` are ignored. */
  take(message: StatusMessage): void {
    if (this.#counts === undefined) this.#messages.push(message)
  }

  /** Compresses everything so far. Call it once, when the build ends. */
  pack(): void {
    this.#counts = countSteps(this.#messages)
    const all = toBinary(StatusResponseSchema, create(StatusResponseSchema, joinedStatus(this.#messages)))
    this.#packed = gzipSync(all)
    this.#messages = []
  }

  /** Gives all messages as one; undefined while the build runs and after `drop`. */
  read(): StatusResponse | undefined {
    return this.#packed === undefined ? undefined : fromBinary(StatusResponseSchema, gunzipSync(this.#packed))
  }

  /** Frees the compressed messages. The counts stay. */
  drop(): void {
    this.#packed = undefined
  }

  /** The counts so far, or those at the end of the build. */
  get counts(): StepCounts {
    return this.#counts ?? countSteps(this.#messages)
  }

  /** Size of the compressed messages, in bytes. */
  get sizeBytes(): number {
    return this.#packed?.length ?? 0
  }
}

function countSteps(messages: readonly StatusMessage[]): StepCounts {
  const latest = new Map(messages.flatMap(({ vertexes = [] }) => vertexes).map((vertex) => [vertex.digest, vertex]))
  const all = [...latest.values()]
  return {
    total: all.length,
    completed: all.filter(({ completed }) => completed !== undefined).length,
    cached: all.filter(({ cached }) => cached === true).length,
    warnings: messages.reduce((sum, { warnings = [] }) => sum + warnings.length, 0),
  }
}

function joinedStatus(messages: readonly StatusMessage[]): StatusMessage {
  return {
    vertexes: messages.flatMap(({ vertexes = [] }) => vertexes),
    statuses: messages.flatMap(({ statuses = [] }) => statuses),
    logs: messages.flatMap(({ logs = [] }) => logs),
    warnings: messages.flatMap(({ warnings = [] }) => warnings),
  }
}
