import type { ServerResponse } from 'node:http'
import type { ProgressMessage } from '../../api/index.ts'
import { messageOf } from '../../base/index.ts'
import { type Exchange, formatJsonLine } from '../../http/index.ts'

/** Above this many unsent bytes, updates of progress bars are dropped; only messages that stay on the screen are sent. */
const crowdedBytes = 1024 * 1024

export interface ProgressOptions {
  /** Failures are lines of the stream from the beginning, also if nothing was sent yet. */
  readonly alwaysStream?: boolean
}

/** Runs work that reports its progress as JSON lines. The status is sent with the first message, so that work that fails
 *  at once is answered with an error status. A later failure becomes the last line. */
export async function streamProgress(
  exchange: Exchange,
  work: (onProgress: (message: ProgressMessage) => void) => Promise<void>,
  { alwaysStream = false }: ProgressOptions = {},
): Promise<void> {
  let stream: ServerResponse | undefined
  const open = () => {
    stream ??= exchange.openStream(200, 'application/json')
    return stream
  }
  const onProgress = (message: ProgressMessage) => {
    const target = open()
    const isBar = message.progressDetail?.current !== undefined
    if (target.destroyed || (isBar && target.writableLength > crowdedBytes)) return
    target.write(formatJsonLine(message))
  }
  try {
    await work(onProgress)
    open().end()
  } catch (error) {
    if (stream === undefined && !(alwaysStream && !exchange.isClientGone)) throw error
    if (stream?.destroyed === true) throw error
    const message = messageOf(error)
    open().end(formatJsonLine({ errorDetail: { message }, error: message }))
  }
}
