/** A tar that is written by one side and read by the other at the same time. */
import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { messageOf } from '../../../base/index.ts'
import type { BuildByteSink } from '../../../contract/index.ts'

/** Passes written bytes to `send` as they arrive. `end` resolves when `send` has finished. If `send` fails, the next
 *  `write` or `end` throws its error. */
export function tarSink(send: (tar: AsyncIterable<Buffer>) => Promise<void>): BuildByteSink {
  const tar = new PassThrough()
  const sent = send(tar)
  // The next `write` or `end` reports the error.
  sent.catch((error: unknown) => tar.destroy(error instanceof Error ? error : new Error(messageOf(error))))
  tar.on('error', () => {})
  return {
    async write(chunk) {
      if (tar.destroyed) return await sent
      // The writer may reuse its buffer after `write`, so copy it.
      if (!tar.write(Buffer.from(chunk))) await Promise.race([once(tar, 'drain'), once(tar, 'close')])
    },
    async end() {
      tar.end()
      await sent
    },
  }
}
