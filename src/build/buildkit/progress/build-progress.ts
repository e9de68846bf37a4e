/** Translates a build's events into BuildKit's status messages. All messages are kept until a client listens. Then
 *  those with log lines are dropped; the rest is kept for clients that listen later. */
import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { type Timestamp, TimestampSchema } from '@bufbuild/protobuf/wkt'
import type { BuildEvent, BuildStatusEvent, BuildVertexEvent, BuildWarningEvent } from '../../../api/index.ts'
import { nowNs, parseNs } from '../../../base/index.ts'
import { digestOf, formatReference, parseReference } from '../../../oci/index.ts'
import type { StatusResponseSchema } from '../gen/progress_pb.ts'

/** A message of `Control.Status`, and of the trace in Docker's build stream. */
export type StatusMessage = MessageInitShape<typeof StatusResponseSchema>

/** Limit for the output of one step, in bytes. */
const maxLogBytes = 2 * 1024 * 1024
const clipped = Buffer.from('\n[output clipped, log limit 2MiB reached]\n')

/** Options of `BuildProgress`. */
export interface BuildProgressOptions {
  /** Name of the build. It makes the digests of its steps unique. */
  readonly ref: string
  /** Receives every message. */
  readonly onMessage?: ((message: StatusMessage) => void) | undefined
}

/** The progress of one build. */
export class BuildProgress {
  readonly #ref: string
  readonly #onMessage: BuildProgressOptions['onMessage']
  readonly #listeners = new Set<(message: StatusMessage | undefined) => void>()
  readonly #kept: StatusMessage[] = []
  readonly #logBytes = new Map<string, number>()
  #dockerfile: { readonly name: string; readonly text: string } | undefined
  /** The vertex of the output being made. */
  #exporting = ''
  #isListenedTo = false
  #isOver = false

  constructor({ ref, onMessage }: BuildProgressOptions) {
    this.#ref = ref
    this.#onMessage = onMessage
  }

  /** Sets the Dockerfile that warnings refer to. */
  setDockerfile(name: string, text: string): void {
    this.#dockerfile = { name, text }
  }

  /** Translates an event of the builder and queues the messages. */
  event(event: BuildEvent): void {
    switch (event.type) {
      case 'vertex':
        if (event.id.startsWith('export ')) this.#exporting = event.id
        this.#tell({ vertexes: [this.#vertex(event)] })
        return
      case 'log':
        this.#log(event.vertex, event.stream, event.text)
        return
      case 'status':
        this.#tell({ statuses: [this.#status(event)] })
        return
      case 'aux':
        this.#image(event.id, event.tags)
        return
      case 'warning':
        this.#tell({ warnings: [this.#warning(event)] })
        return
      default:
        return
    }
  }

  /** Passes on a warning from the client. */
  warn(warning: NonNullable<StatusMessage['warnings']>[number]): void {
    this.#tell({ warnings: [warning] })
  }

  /** Ends the stream of messages. */
  end(): void {
    this.#isOver = true
    for (const listener of this.#listeners) listener(undefined)
    this.#listeners.clear()
  }

  /** Gives the messages so far and all later ones, until `end`. Stops when `signal` is aborted. */
  async *messages(signal: AbortSignal): AsyncGenerator<StatusMessage, void, undefined> {
    const queue: (StatusMessage | undefined)[] = [...this.#kept]
    if (!this.#isListenedTo) this.#forgetLogs()
    this.#isListenedTo = true
    let wake = Promise.withResolvers<void>()
    const listener = (message: StatusMessage | undefined) => {
      queue.push(message)
      wake.resolve()
    }
    const stop = () => listener(undefined)
    if (this.#isOver) queue.push(undefined)
    else this.#listeners.add(listener)
    signal.addEventListener('abort', stop, { once: true })
    try {
      for (;;) {
        const batch = queue.splice(0)
        if (batch.length > 0) {
          const present = batch.filter((message) => message !== undefined)
          if (present.length > 0) yield joined(present)
          if (present.length < batch.length) return
        }
        if (queue.length === 0) await wake.promise
        wake = Promise.withResolvers()
      }
    } finally {
      signal.removeEventListener('abort', stop)
      this.#listeners.delete(listener)
    }
  }

  /** The digest that identifies a step in the protocol. */
  digest(vertex: string): string {
    return digestOf(Buffer.from(`${this.#ref} ${vertex}`))
  }

  #tell(message: StatusMessage): void {
    this.#onMessage?.(message)
    if (!this.#isListenedTo || message.logs === undefined) this.#kept.push(message)
    for (const listener of this.#listeners) listener(message)
  }

  #forgetLogs(): void {
    const short = this.#kept.filter(({ logs }) => logs === undefined)
    this.#kept.splice(0, this.#kept.length, ...short)
  }

  /** Shows the image's id and names in the form of Docker's own exporter, because scripts search for it. */
  #image(id: string, tags: readonly string[]): void {
    const now = timestampOf(nowNs())
    const vertex = this.digest(this.#exporting)
    const lines = [`writing image ${id}`, ...tags.map((tag) => `naming to ${formatReference(parseReference(tag))}`)]
    this.#tell({
      statuses: lines.map((line) => ({ id: line, vertex, timestamp: now, started: now, completed: now })),
    })
  }

  #vertex({ id, name, inputs = [], started, completed, cached, error }: BuildVertexEvent) {
    return {
      digest: this.digest(id),
      inputs: inputs.map((input) => this.digest(input)),
      name,
      cached: cached ?? false,
      error: error ?? '',
      ...timesOf({ started, completed }),
    }
  }

  #status({ vertex, id, name, current, total, started, completed }: BuildStatusEvent) {
    return {
      id,
      vertex: this.digest(vertex),
      name: name ?? '',
      current: BigInt(current ?? 0),
      total: BigInt(total ?? 0),
      timestamp: timestampOf(nowNs()),
      ...timesOf({ started: started ?? undefined, completed }),
    }
  }

  #log(vertex: string, stream: 1 | 2, text: string): void {
    const before = this.#logBytes.get(vertex) ?? 0
    if (before >= maxLogBytes) return
    const bytes = Buffer.from(text)
    this.#logBytes.set(vertex, before + bytes.length)
    const isLast = before + bytes.length >= maxLogBytes
    const msg = isLast ? Buffer.concat([bytes.subarray(0, maxLogBytes - before), clipped]) : bytes
    const log = { vertex: this.digest(vertex), timestamp: timestampOf(nowNs()), stream: BigInt(stream), msg }
    this.#tell({ logs: [log] })
  }

  #warning({ rule, message, description, url, line, level }: BuildWarningEvent) {
    const file = this.#dockerfile
    const title = rule === undefined ? message : `${rule}: ${message}`
    return {
      vertex: this.digest('dockerfile'),
      level: BigInt(level ?? 1),
      short: Buffer.from(line === undefined ? title : `${title} (line ${line})`),
      detail: description === undefined ? [] : [Buffer.from(description)],
      url: url ?? '',
      ...(file === undefined
        ? {}
        : { info: { filename: file.name, data: Buffer.from(file.text), language: 'Dockerfile' } }),
      ...(line === undefined ? {} : { ranges: [{ start: { line, character: 0 }, end: { line, character: 0 } }] }),
    }
  }
}

function joined(messages: readonly StatusMessage[]): StatusMessage {
  return {
    vertexes: messages.flatMap(({ vertexes = [] }) => vertexes),
    statuses: messages.flatMap(({ statuses = [] }) => statuses),
    logs: messages.flatMap(({ logs = [] }) => logs),
    warnings: messages.flatMap(({ warnings = [] }) => warnings),
  }
}

function timesOf({
  started,
  completed,
}: {
  readonly started?: string | undefined
  readonly completed?: string | undefined
}) {
  return { ...timeOf('started', started), ...timeOf('completed', completed) }
}

function timeOf<Name extends string>(name: Name, text: string | undefined): { readonly [K in Name]?: Timestamp } {
  const ns = text === undefined ? undefined : parseNs(text)
  return (ns === undefined ? {} : { [name]: timestampOf(ns) }) as { readonly [K in Name]?: Timestamp }
}

/** A protocol timestamp for nanoseconds since 1970. */
export function timestampOf(ns: bigint): Timestamp {
  return create(TimestampSchema, { seconds: ns / 1_000_000_000n, nanos: Number(ns % 1_000_000_000n) })
}
