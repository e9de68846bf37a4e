/** Signals that the client receives and forwards to the container. */

const forwarded = [
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGTERM',
  'SIGUSR1',
  'SIGUSR2',
  'SIGALRM',
  'SIGTSTP',
  'SIGCONT',
] as const

/** Passes each signal to `send` until the returned function is called. Failures are ignored: the process may be
 *  gone. */
export function forwardSignals(send: (signal: string) => Promise<void>): () => void {
  const handlers = forwarded.map((signal) => {
    const handler = (): void => void send(signal).catch(() => undefined)
    process.on(signal, handler)
    return () => process.off(signal, handler)
  })
  return () => {
    for (const remove of handlers) remove()
  }
}

/** Calls `resize` now, and each time the terminal's size changes, until the returned function is called. Only one call
 *  runs at a time: of two requests at once, the daemon could carry out the older one last. Changes during a call lead
 *  to one more call. Failures are ignored: the process may be gone. */
export function watchSize(resize: () => Promise<void>): () => void {
  let last = Promise.resolve()
  let isWaiting = false
  let isStopped = false
  const send = async (): Promise<void> => {
    isWaiting = false
    if (!isStopped) await resize()
  }
  const handler = (): void => {
    if (isWaiting) return
    isWaiting = true
    last = last.then(send).catch(() => undefined)
  }
  handler()
  process.on('SIGWINCH', handler)
  return () => {
    isStopped = true
    process.off('SIGWINCH', handler)
  }
}
