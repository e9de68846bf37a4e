import { conflict } from '../../../base/index.ts'
import { CliError } from '../../command/cli-error.ts'
import type { CliContext, Command } from '../../command/command.ts'
import { runSession } from '../../terminal/attach-session.ts'
import { watchSize } from '../../terminal/signals.ts'
import { endSession, exitCodeOf, resize } from './run.ts'
import { noSignalProxy, proxySignals } from './signal-proxy.ts'

export const command: Command = {
  usage: '[OPTIONS] CONTAINER',
  operands: { min: 1, max: 1 },
  flags: [
    { name: 'detach-keys', type: 'string', help: 'Keys that detach from the container' },
    { name: 'no-stdin', type: 'bool', help: 'Do not attach STDIN' },
    { name: 'sig-proxy', type: 'bool', help: 'Forward signals to the process', defaultTrue: true },
  ],
  async run(context, flags, [name = '']) {
    const { client, input, output, errors, settings } = context
    const { value: container } = await client.containers.inspect(name)
    const { State: state, Config: config, Id: id } = container
    if (!state.Running) throw conflict('You cannot attach to a stopped container, start it first')
    if (state.Paused) throw conflict('You cannot attach to a paused container, unpause it first')
    if (state.Restarting) throw conflict('You cannot attach to a restarting container, wait until it is running')
    const tty = config.Tty === true
    const stdin = !flags.bool('no-stdin') && config.OpenStdin === true
    if (stdin && tty && !input.isTerminal) throw new CliError(1, 'the input device is not a TTY')
    const detachKeys = flags.string('detach-keys') || settings.file().detachKeys || ''
    const [stream, wait] = await Promise.all([
      client.containerIo.attach(id, { stdin, stdout: true, stderr: true, detachKeys, tty }),
      client.containerLifecycle.wait(id),
    ])
    const proxies = flags.bool('sig-proxy') && !tty
    const signals = proxies ? proxySignals(context, id, name) : noSignalProxy
    const stops = [signals.stop]
    if (tty && output.isTerminal) stops.push(await redraw(context, id))
    const session = runSession(stream, { input: stdin ? input : undefined, output, errors }, { tty, detachKeys })
    try {
      const end = await signals.orGiveUp(session)
      if (end === 'detached') throw new CliError(1, 'read escape sequence')
      return await signals.orGiveUp(exitCodeOf(context, wait))
    } finally {
      for (const stop of stops) stop()
      await endSession(stream, session)
    }
  },
}

/** Makes the program redraw its screen: sets a size of one line and one column more, and then the real size. */
async function redraw(context: CliContext, id: string): Promise<() => void> {
  const { client, output } = context
  await client.containerIo.resize(id, { height: output.rows + 1, width: output.columns + 1 }).catch(() => undefined)
  return watchSize(() => resize(context, id))
}
