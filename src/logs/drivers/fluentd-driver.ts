/** The log driver `fluentd`: the Forward protocol, one event per line.
 *  https://github.com/fluent/fluentd/wiki/Forward-Protocol-Specification-v1 */
import { randomBytes } from 'node:crypto'
import { decodeMultiStream, Encoder, ExtData } from '@msgpack/msgpack'
import { BerthError } from '../../base/index.ts'
import { type FluentdOptions, parseFluentdOptions } from './fluentd-options.ts'
import { logAttributes } from './log-attributes.ts'
import type { LogDriver, LogInfo } from './log-driver.ts'
import type { LogRecord } from './log-record.ts'
import { LogStream } from './log-stream.ts'
import { logTag } from './log-tag.ts'

/** The protocol's extension type for times with nanoseconds. */
const eventTimeType = 0
const ackTimeoutMs = 30_000
const nsPerSecond = 1_000_000_000n

/** Connects to the server. Throws `unavailable` when it can't be reached, `invalidArgument` for a bad option. */
export async function openFluentd(info: LogInfo): Promise<LogDriver> {
  const options = parseFluentdOptions(info.options)
  const encode = eventEncoder(info, options)
  const acks = new Acknowledgements()
  const stream = await LogStream.open(options.target, (chunk) => acks.push(chunk))
  return {
    async send(records) {
      if (!options.requestAck) {
        await stream.write(Buffer.concat(records.map((record) => encode(record))), options.writeTimeoutMs)
        return
      }
      // The confirmation of the last batch also covers all earlier ones on the same connection.
      const id = randomBytes(16).toString('base64')
      const bytes = records.map((record, index) => encode(record, index === records.length - 1 ? id : undefined))
      const confirmed = acks.expect(id)
      await stream.write(Buffer.concat(bytes), options.writeTimeoutMs)
      await stream.race(confirmed, options.readTimeoutMs || ackTimeoutMs)
    },
    async close() {
      acks.close()
      await stream.close()
    },
  }
}

type EncodeEvent = (record: LogRecord, chunkId?: string) => Uint8Array

function eventEncoder(info: LogInfo, { subSecond }: FluentdOptions): EncodeEvent {
  const tag = logTag(info)
  const attributes = logAttributes(info)
  const encoder = new Encoder()
  return ({ stream, timeNs, text, part }, chunkId) => {
    const event = {
      container_id: info.containerId,
      container_name: `/${info.containerName}`,
      source: stream,
      log: text.toString('utf8'),
      ...attributes,
      ...(part === undefined
        ? {}
        : {
            partial_message: 'true',
            partial_id: part.id,
            partial_ordinal: String(part.ordinal),
            partial_last: String(part.last),
          }),
    }
    const time = subSecond ? eventTime(timeNs) : Number(timeNs / nsPerSecond)
    return encoder.encode(chunkId === undefined ? [tag, time, event] : [tag, time, event, { chunk: chunkId }])
  }
}

/** A time as seconds and nanoseconds, 32 bits each, big-endian. */
function eventTime(timeNs: bigint): ExtData {
  const bytes = Buffer.alloc(8)
  bytes.writeUInt32BE(Number(timeNs / nsPerSecond) >>> 0, 0)
  bytes.writeUInt32BE(Number(timeNs % nsPerSecond), 4)
  return new ExtData(eventTimeType, bytes)
}

/** Reads the server's answers: a sequence of `{"ack": id}`. */
class Acknowledgements {
  readonly #chunks: ReadableStreamDefaultController<Uint8Array>
  #expected:
    | { readonly id: string; readonly resolve: () => void; readonly reject: (error: unknown) => void }
    | undefined

  constructor() {
    let controller: ReadableStreamDefaultController<Uint8Array> | undefined
    const chunks = new ReadableStream<Uint8Array>({ start: (made) => void (controller = made) })
    this.#chunks = controller as unknown as ReadableStreamDefaultController<Uint8Array>
    void this.#read(chunks)
  }

  push(chunk: Buffer): void {
    this.#chunks.enqueue(chunk)
  }

  /** Resolves when the server has confirmed `id`. */
  expect(id: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    // Its waiter may have given up by then.
    promise.catch(() => {})
    this.#expected = { id, resolve, reject }
    return promise
  }

  close(): void {
    try {
      this.#chunks.close()
    } catch {
      // It was closed before.
    }
  }

  async #read(chunks: ReadableStream<Uint8Array>): Promise<void> {
    try {
      for await (const answer of decodeMultiStream(chunks)) {
        const { ack } = (answer ?? {}) as { ack?: unknown }
        if (ack === this.#expected?.id) this.#expected?.resolve()
      }
    } catch (cause) {
      this.#expected?.reject(new BerthError('unavailable', 'the fluentd server answered with no msgpack', { cause }))
    }
  }
}
