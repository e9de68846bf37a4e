/** The log driver `gelf`: by UDP, compressed and in chunks if needed, or by TCP with a zero byte after each message.
 *  https://go2docs.graylog.org/current/getting_in_log_data/gelf.html */
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { deflateSync, gzipSync } from 'node:zlib'
import { BerthError, messageOf } from '../../base/index.ts'
import { UdpSender } from './datagrams.ts'
import { joinHostPort } from './dial.ts'
import { type GelfOptions, parseGelfOptions } from './gelf-options.ts'
import { logAttributes } from './log-attributes.ts'
import type { LogDriver, LogInfo } from './log-driver.ts'
import type { LogRecord } from './log-record.ts'
import { LogStream } from './log-stream.ts'
import { logCommand, logTag } from './log-tag.ts'

/** Fits into the packets of any network. */
const maxDatagramBytes = 1420
const chunkHeaderBytes = 12
const maxChunks = 128
const informational = 6
const errorLevel = 3

/** Connects to the server. Throws `unavailable` when it can't be reached (TCP only), `invalidArgument` for a bad
 *  option. */
export async function openGelf(info: LogInfo): Promise<LogDriver> {
  const options = parseGelfOptions(info.options)
  const format = messageFormatter(info)
  return options.protocol === 'tcp' ? openTcp(options, format) : openUdp(options, format)
}

type FormatMessage = (record: LogRecord) => Buffer

async function openTcp({ host, port }: GelfOptions, format: FormatMessage): Promise<LogDriver> {
  let stream: LogStream
  try {
    stream = await LogStream.open({ kind: 'tcp', host, port })
  } catch (cause) {
    const message = `gelf: cannot connect to GELF endpoint: ${joinHostPort(host, port)} ${messageOf(cause)}`
    throw new BerthError('unavailable', message, { cause })
  }
  const end = Buffer.of(0)
  return {
    send: (records) => stream.write(Buffer.concat(records.flatMap((record) => [format(record), end]))),
    close: () => stream.close(),
  }
}

async function openUdp({ host, port, compression, level }: GelfOptions, format: FormatMessage): Promise<LogDriver> {
  const sender = await UdpSender.open(host, port)
  const pack = {
    gzip: (message: Buffer) => gzipSync(message, { level }),
    zlib: (message: Buffer) => deflateSync(message, { level }),
    none: (message: Buffer) => message,
  }[compression]
  return {
    async send(records) {
      for (const record of records) {
        for (const datagram of chunksOf(pack(format(record)))) await sender.send(datagram)
      }
    },
    async close() {
      sender.close()
    },
  }
}

/** The datagrams of a message: one, or several chunks; none for a message that is too large for the format. */
function chunksOf(message: Buffer): Buffer[] {
  if (message.length <= maxDatagramBytes) return [message]
  const size = maxDatagramBytes - chunkHeaderBytes
  const count = Math.ceil(message.length / size)
  if (count > maxChunks) return []
  const id = randomBytes(8)
  return Array.from({ length: count }, (_, index) =>
    Buffer.concat([
      Buffer.of(0x1e, 0x0f),
      id,
      Buffer.of(index, count),
      message.subarray(index * size, (index + 1) * size),
    ]),
  )
}

/** Throws `invalidArgument` for a bad tag or pattern. */
function messageFormatter(info: LogInfo): FormatMessage {
  const extra = {
    _container_id: info.containerId,
    _container_name: info.containerName,
    _image_id: info.imageId,
    _image_name: info.imageName,
    _command: logCommand(info),
    _tag: logTag(info),
    _created: info.created,
    ...logAttributes(info, (name) => (name.startsWith('_') ? name : `_${name}`)),
  }
  const host = hostname()
  return ({ stream, timeNs, text }) =>
    Buffer.from(
      JSON.stringify({
        version: '1.1',
        host,
        short_message: text.toString('utf8'),
        timestamp: Number(timeNs / 1_000_000n) / 1000,
        level: stream === 'stderr' ? errorLevel : informational,
        ...extra,
      }),
    )
}
