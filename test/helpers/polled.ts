import { closeFd, FdPoll, makePipe, writeFd } from '../../src/sys/index.ts'

/** Resolves once the event loop has reported every descriptor that was ready before the call. The kernel reports them
 *  in the order in which they became ready, and this call's own descriptor becomes ready last. With it, a test can
 *  show that something does not happen. */
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
