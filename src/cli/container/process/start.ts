import { messageOf } from '../../../base/index.ts'
import { CliError } from '../../command/cli-error.ts'
import type { CliContext, Command } from '../../command/command.ts'
import type { FlagValues } from '../../flags/flag-values.ts'
import { runSession } from '../../terminal/attach-session.ts'
import { watchSize } from '../../terminal/signals.ts'
import { startFailureCode } from './exit-code.ts'
import { endSession, exitCodeOf, resize } from './run.ts'
import { noSignalProxy, proxySignals } from './signal-proxy.ts'

export const command: Command = {
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  operands: { min: 1 },
  flags: [
    { name: 'attach', short: 'a', type: 'bool', help: 'Attach STDOUT and STDERR, and forward signals' },
    { name: 'checkpoint', type: 'string', help: 'Checkpoint to restore from' },
    { name: 'checkpoint-dir', type: 'string', help: 'Directory of the checkpoint' },
    { name: 'detach-keys', type: 'string', help: 'Keys that detach from the container' },
    { name: 'interactive', short: 'i', type: 'bool', help: 'Attach STDIN' },
  ],
  async run(context, flags, operands) {
    if (!flags.bool('attach') && !flags.bool('interactive')) {
      await startAll(context, flags, operands)
      return 0
    }
    if (operands.length > 1) throw new CliError(1, 'you cannot start and attach multiple containers at once')
    return startAttached(context, flags, operands[0] ?? '')
  },
}

async function startAll(
  { client, output, errors }: CliContext,
  flags: FlagValues,
  names: readonly string[],
): Promise<void> {
  const failed: string[] = []
  for (const name of names) {
    try {
      await client.containerLifecycle.start(name, { checkpoint: flags.string('checkpoint') })
      output.write(`${name}\n`)
    } catch (error) {
      errors.write(`${messageOf(error)}\n`)
      failed.push(name)
    }
  }
  if (failed.length > 0) throw new CliError(1, `Error: failed to start containers: ${failed.join(', ')}`)
}

async function startAttached(context: CliContext, flags: FlagValues, name: string): Promise<number> {
  const { client, input, output, errors, settings } = context
  const { value: container } = await client.containers.inspect(name)
  const tty = container.Config.Tty === true
  const stdin = flags.bool('interactive') && container.Config.OpenStdin === true
  if (stdin && tty && !input.isTerminal) throw new CliError(1, 'the input device is not a TTY')
  const detachKeys = flags.string('detach-keys') || settings.file().detachKeys || ''
  const { Id: id } = container
  const [stream, wait] = await Promise.all([
    client.containerIo.attach(id, { stdin, stdout: true, stderr: true, detachKeys, tty }),
    client.containerLifecycle.wait(id, container.HostConfig.AutoRemove === true ? 'removed' : 'next-exit'),
  ])
  const signals = tty ? noSignalProxy : proxySignals(context, id, name)
  const stops = [signals.stop]
  const session = runSession(stream, { input: stdin ? input : undefined, output, errors }, { tty, detachKeys })
  session.catch(() => undefined)
  try {
    try {
      await client.containerLifecycle.start(id, { checkpoint: flags.string('checkpoint') })
    } catch (error) {
      throw new CliError(startFailureCode(error, 1), messageOf(error), { cause: error })
    }
    if (tty && output.isTerminal) stops.push(watchSize(() => resize(context, id)))
    if ((await signals.orGiveUp(session)) === 'detached') return 0
    return await signals.orGiveUp(exitCodeOf(context, wait))
  } finally {
    for (const stop of stops) stop()
    await endSession(stream, session)
  }
}
