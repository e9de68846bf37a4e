/** Carrying output of containers to clients: over taken connections and in ordinary answers. */
import { type Logger, messageOf, type OutputSink } from '../base/index.ts'
import type { AttachIo, OutputSource } from '../contract/index.ts'
import { type HijackedConnection, multiplexedStreamType, rawStreamType, StreamSink } from '../http/index.ts'
import { type Call, isBelow } from './route.ts'

/** The content type for a source; clients below 1.42 know only the raw one and find out from the container. */
export function streamContentType(call: Call, tty: boolean): string {
  return tty || isBelow(call, '1.42') ? rawStreamType : multiplexedStreamType
}

export interface CarryOptions {
  /** Whether what the client sends goes to the process. */
  readonly stdin: boolean
  /** False: one stream without frames. */
  readonly multiplexed: boolean
  /** Where a failure is written. Default: stderr. */
  readonly failuresTo?: 'stdout' | 'stderr'
  readonly logger: Logger
}

/** Runs a source over a taken connection until it ends. Its failure is written into the stream. */
export async function carryBothWays(
  connection: HijackedConnection,
  source: OutputSource<AttachIo>,
  { stdin, multiplexed, failuresTo, logger }: CarryOptions,
): Promise<void> {
  const { output, input } = connection
  // Unwanted input is still read, so that the client's end is seen.
  if (!stdin) input.resume()
  const work = (sink: OutputSink) => source.run(stdin ? { sink, input } : { sink })
  await carry(new StreamSink(output, { multiplexed }), logger, work, failuresTo)
  connection.finish()
}

/** Runs work that writes to a sink and ends the sink. Its failure is written as the stream's last line. */
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
