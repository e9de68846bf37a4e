/** A tar that is written here and read elsewhere at the same time. */
import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { messageOf } from '../../../base/index.ts'
import type { ByteSink } from '../../model/built-image.ts'

/** Gives what is written to `send` while it comes; `end` resolves when `send` has. A failure of `send` is that of the
 *  next `write` or of `end`. */
export function tarSink(send: (tar: AsyncIterable<Buffer>) => Promise<void>): ByteSink {
  const tar = new PassThrough()
  const sent = send(tar)
  // Told by `write` or `end`, whichever comes next.
  sent.catch((error: unknown) => tar.destroy(error instanceof Error ? error : new Error(messageOf(error))))
  tar.on('error', () => {})
  return {
    async write(chunk) {
      if (tar.destroyed) return await sent
      // Whoever writes uses its buffers again.
      if (!tar.write(Buffer.from(chunk))) await Promise.race([once(tar, 'drain'), once(tar, 'close')])
    },
    async end() {
      tar.end()
      await sent
    },
  }
}
