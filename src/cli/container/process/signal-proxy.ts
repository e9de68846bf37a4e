/** The signals of a client that is attached to a container. */
import { CliError } from '../../command/cli-error.ts'
import type { CliContext } from '../../command/command.ts'
import { forwardSignals } from '../../terminal/signals.ts'

/** After how many interrupts the client ends, whatever the container does. The number is docker's. */
const patience = 3

/** Signals that are being passed on. */
export interface SignalProxy {
  /** Gives the result of `work`. Rejects with a CliError once the user has interrupted the client three times: the
   *  container ignores the signal then, and the user must get the shell back. */
  orGiveUp<T>(work: Promise<T>): Promise<T>
  stop(): void
}

/** Leaves the client's signals to the kernel, which ends the client. */
export const noSignalProxy: SignalProxy = { orGiveUp: (work) => work, stop: () => undefined }

/** Passes the client's signals on to a container until `stop` is called. `name`: what the user calls it. */
export function proxySignals({ client }: CliContext, id: string, name: string): SignalProxy {
  const givenUp = Promise.withResolvers<never>()
  // Without work to wait for, giving up must not count as an unhandled rejection.
  givenUp.promise.catch(() => undefined)
  let interrupts = 0
  const stop = forwardSignals((signal) => {
    if (signal === 'SIGINT' || signal === 'SIGTERM') interrupts += 1
    if (interrupts >= patience) {
      const advice = `if it still runs, end it with: berth kill ${name}`
      givenUp.reject(new CliError(1, `\ngave up on the container after ${patience} interrupts; ${advice}`))
    }
    return client.containerLifecycle.kill(id, signal)
  })
  return { orGiveUp: (work) => Promise.race([work, givenUp.promise]), stop }
}
