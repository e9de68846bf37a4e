/** The log driver `syslog`: by UDP, TCP, TLS or a unix socket; without an address to the host's own daemon. With TLS,
 *  messages of RFC 5424 are framed by their length (RFC 5425); all others end with a line feed. */
import { hostname } from 'node:os'
import { BerthError, errnoOf } from '../../base/index.ts'
import { UnixDatagramSocket } from '../../sys/index.ts'
import { UdpSender } from './datagrams.ts'
import { dialError } from './dial.ts'
import type { LogDriver, LogInfo } from './log-driver.ts'
import { LogStream } from './log-stream.ts'
import { logTag } from './log-tag.ts'
import { formatSyslog, type SyslogSource } from './syslog-format.ts'
import { type SyslogAddress, syslogAddress, syslogFacility, syslogFormat, syslogTls } from './syslog-options.ts'

/** The sockets that local daemons listen on. */
const localSockets = ['/dev/log', '/var/run/syslog', '/var/run/log']

/** Sends whole messages. */
interface Transport {
  send(messages: readonly Buffer[]): Promise<void>
  close(): Promise<void>
}

/** Connects to the server. Throws `unavailable` when it can't be reached (not with UDP), `invalidArgument` for a bad
 *  option. */
export async function openSyslog(info: LogInfo): Promise<LogDriver> {
  const { options } = info
  const address = syslogAddress(options)
  const source: SyslogSource = {
    format: syslogFormat(options),
    facility: syslogFacility(options),
    hostname: hostname(),
    tag: logTag(info),
    pid: process.pid,
  }
  const isFramed = address.kind === 'tls' && source.format.startsWith('rfc5424')
  const transport = await openTransport(address, info)
  return {
    async send(records) {
      const messages = records.map((record) => formatSyslog(source, record))
      await transport.send(isFramed ? messages.map(framed) : messages)
    },
    close: () => transport.close(),
  }
}

function framed(message: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${message.length} `), message])
}

async function openTransport(address: SyslogAddress, { options }: LogInfo): Promise<Transport> {
  switch (address.kind) {
    case 'local':
      return openLocal()
    case 'udp': {
      const sender = await UdpSender.open(address.host, address.port)
      return each(
        (message) => sender.send(message),
        () => sender.close(),
      )
    }
    case 'tcp':
      return streamed(await LogStream.open({ ...address, kind: 'tcp' }))
    case 'tls':
      return streamed(await LogStream.open({ ...address, kind: 'tcp', tls: syslogTls(options) }))
    case 'unix':
      return streamed(await LogStream.open({ kind: 'unix', path: address.path }))
    case 'unixgram':
      return openDatagram(address.path)
    default:
      return address satisfies never
  }
}

async function openLocal(): Promise<Transport> {
  for (const path of localSockets) {
    try {
      return openDatagram(path)
    } catch {
      // The socket does not exist, or is of the other kind.
    }
    try {
      return streamed(await LogStream.open({ kind: 'unix', path }))
    } catch {
      // Try the next socket.
    }
  }
  throw new BerthError('unavailable', 'Unix syslog delivery error')
}

function openDatagram(path: string): Transport {
  let socket: UnixDatagramSocket
  try {
    socket = UnixDatagramSocket.connect(path)
  } catch (error) {
    throw dialError('unixgram', path, error)
  }
  return each(
    async (message) => {
      try {
        await socket.send(message)
      } catch (error) {
        // Larger than the kernel accepts as one message: sending it again would fail again.
        if (errnoOf(error) !== 'EMSGSIZE') throw error
      }
    },
    () => socket.close(),
  )
}

function each(send: (message: Buffer) => Promise<void>, close: () => void): Transport {
  return {
    async send(messages) {
      for (const message of messages) await send(message)
    },
    async close() {
      close()
    },
  }
}

function streamed(stream: LogStream): Transport {
  return {
    send: (messages) => stream.write(Buffer.concat(messages)),
    close: () => stream.close(),
  }
}
