import { closeFd, FdPoll, makePipe, writeFd } from '../../src/sys/index.ts'

/** Resolves when the event loop has told of every descriptor that was ready before the call: the kernel gives them in
 *  the order in which they became ready, and one that becomes ready now comes last. So a test can say that something
 *  does not happen. */
export async function polled(): Promise<void> {
  const [readEnd, writeEnd] = makePipe()
  const { promise, resolve } = Promise.withResolvers<void>()
  const poll = FdPoll.start(readEnd, { read: true }, () => resolve())
  writeFd(writeEnd, Buffer.from('x'))
  await promise
  poll.stop()
  closeFd(readEnd)
  closeFd(writeEnd)
}
