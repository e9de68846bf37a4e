/** Carries the output of containers to clients, over connections that have left HTTP and in ordinary answers. */
import { type Logger, messageOf, type OutputSink } from '../../base/index.ts'
import type { AttachIo, OutputSource } from '../../contract/index.ts'
import { type HijackedConnection, multiplexedStreamType, rawStreamType, StreamSink } from '../../http/index.ts'
import { type Call, isBelow } from './route.ts'

/** The content type of a source's stream. Clients below 1.42 only know the raw type; they look at the container's
 *  configuration to see whether there are frames. */
export function streamContentType(call: Call, tty: boolean): string {
  return tty || isBelow(call, '1.42') ? rawStreamType : multiplexedStreamType
}

export interface CarryOptions {
  /** Whether the client's input goes to the process. */
  readonly stdin: boolean
  /** False: one stream without frames. */
  readonly multiplexed: boolean
  /** The stream that a failure is written to; by default stderr. */
  readonly failuresTo?: 'stdout' | 'stderr'
  readonly logger: Logger
}

/** Runs a source over a connection that has left HTTP, until one side ends. A failure is written into the stream. */
export async function carryBothWays(
  connection: HijackedConnection,
  source: OutputSource<AttachIo>,
  { stdin, multiplexed, failuresTo, logger }: CarryOptions,
): Promise<void> {
  const { output, input } = connection
  // Unwanted input is read as well, because only reading shows that the client has gone.
  if (!stdin) input.resume()
  const work = (sink: OutputSink) => source.run(stdin ? { sink, input } : { sink })
  await carry(new StreamSink(output, { multiplexed }), logger, work, failuresTo)
  connection.finish()
}

/** Runs work that writes to a sink, then ends the sink. A failure is written as the stream's last line. */
export async function carry(
  sink: StreamSink,
  logger: Logger,
  work: (sink: OutputSink) => Promise<void>,
  failuresTo: 'stdout' | 'stderr' = 'stderr',
): Promise<void> {
  let isOpen = true
  sink.onClose(() => {
    isOpen = false
  })
  try {
    await work(sink)
  } catch (error) {
    if (isOpen) {
      logger.warn('output stream failed', { error: messageOf(error) })
      sink.write(failuresTo, Buffer.from(`${messageOf(error)}\r\n`))
    }
  } finally {
    sink.end()
  }
}
