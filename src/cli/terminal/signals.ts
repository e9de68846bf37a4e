/** Signals that the client gets and the container should have. */

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

/** Passes each signal on by `send` until the result is called. A failure is dropped: the process may be gone. */
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

/** Tells the size of the terminal now and at each change until the result is called. */
export function watchSize(resize: () => Promise<void>): () => void {
  const handler = (): void => void resize().catch(() => undefined)
  handler()
  process.on('SIGWINCH', handler)
  return () => process.off('SIGWINCH', handler)
}
