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

/** Calls `resize` now, and each time the terminal's size changes, until the returned function is called. */
export function watchSize(resize: () => Promise<void>): () => void {
  const handler = (): void => void resize().catch(() => undefined)
  handler()
  process.on('SIGWINCH', handler)
  return () => process.off('SIGWINCH', handler)
}
