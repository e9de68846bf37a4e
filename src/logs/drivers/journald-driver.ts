/** The log driver `journald`: the journal's native protocol, one datagram per line.
 *  https://systemd.io/JOURNAL_NATIVE_PROTOCOL/ https://docs.docker.com/engine/logging/drivers/journald/ */
import { randomBytes } from 'node:crypto'
import { BerthError, formatNs } from '../../base/index.ts'
import { UnixDatagramSocket } from '../../sys/index.ts'
import { logAttributes } from './log-attributes.ts'
import { type LogDriver, type LogInfo, shortIdLength } from './log-driver.ts'
import type { LogRecord } from './log-record.ts'
import { logTag } from './log-tag.ts'

const informational = '6'
const errorPriority = '3'
const lineFeed = 0x0a

/** Connects to the journal's socket. Throws `unavailable` when there is none. */
export async function openJournald(info: LogInfo, socketPath: string): Promise<LogDriver> {
  const fields = containerFields(info)
  let socket: UnixDatagramSocket
  try {
    socket = UnixDatagramSocket.connect(socketPath)
  } catch (cause) {
    throw new BerthError('unavailable', 'journald is not enabled on this host', { cause })
  }
  // Readers of the journal use these fields to order lines of the same microsecond.
  const epoch = randomBytes(32).toString('hex')
  let ordinal = 0
  return {
    async send(records) {
      for (const record of records) {
        ordinal += 1
        const order = { CONTAINER_LOG_EPOCH: epoch, CONTAINER_LOG_ORDINAL: String(ordinal) }
        await socket.send(formatEntry({ ...fields, ...order, ...recordFields(record) }, record.text))
      }
    },
    async close() {
      socket.close()
    },
  }
}

/** The fields of every line. Throws `invalidArgument` for a bad tag or pattern. */
function containerFields(info: LogInfo): Readonly<Record<string, string>> {
  const tag = logTag(info)
  return {
    CONTAINER_ID: info.containerId.slice(0, shortIdLength),
    CONTAINER_ID_FULL: info.containerId,
    CONTAINER_NAME: info.containerName,
    CONTAINER_TAG: tag,
    IMAGE_NAME: info.imageName,
    SYSLOG_IDENTIFIER: tag,
    ...logAttributes(info, fieldName),
  }
}

function recordFields({ stream, timeNs, part }: LogRecord): Readonly<Record<string, string>> {
  return {
    PRIORITY: stream === 'stderr' ? errorPriority : informational,
    SYSLOG_TIMESTAMP: formatNs(timeNs),
    ...(part === undefined
      ? {}
      : {
          ...(part.last ? {} : { CONTAINER_PARTIAL_MESSAGE: 'true' }),
          CONTAINER_PARTIAL_ID: part.id,
          CONTAINER_PARTIAL_ORDINAL: String(part.ordinal),
          CONTAINER_PARTIAL_LAST: String(part.last),
        }),
  }
}

/** The name of a field. The journal accepts uppercase letters, digits and underscores, but no underscore at the
 *  start. */
function fieldName(name: string): string {
  return name
    .toUpperCase()
    .replace(/[^A-Z0-9]/g, '_')
    .replace(/^_+/, '')
}

function formatEntry(fields: Readonly<Record<string, string>>, message: Buffer): Buffer {
  const parts = Object.entries(fields).map(([name, value]) => formatField(name, Buffer.from(value)))
  return Buffer.concat([...parts, formatField('MESSAGE', message)])
}

/** A field in the protocol's form: `NAME=value`, or with a length for values that contain line ends. */
function formatField(name: string, value: Buffer): Buffer {
  if (!value.includes(lineFeed)) return Buffer.concat([Buffer.from(`${name}=`), value, Buffer.from('\n')])
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(value.length))
  return Buffer.concat([Buffer.from(`${name}\n`), length, value, Buffer.from('\n')])
}
