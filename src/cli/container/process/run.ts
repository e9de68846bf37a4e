/** `berth run`: creates, attaches, waits, starts, passes streams on, and ends with the container's exit code. */

import type { ContainerWaitResponse } from '../../../api/index.ts'
import { shortId } from '../../../base/index.ts'
import type { ArmedWait, AttachedStream } from '../../../client/index.ts'
import { CliError, withHelpHint } from '../../command/cli-error.ts'
import type { CliContext, Command } from '../../command/command.ts'
import { refuseContentTrust } from '../../command/content-trust.ts'
import { proxyVariables } from '../../command/proxy-variables.ts'
import type { FlagValues } from '../../flags/flag-values.ts'
import { runSession, type SessionEnd } from '../../terminal/attach-session.ts'
import { parseDetachKeys } from '../../terminal/detach-keys.ts'
import { watchSize } from '../../terminal/signals.ts'
import { checkPullPolicy, createContainer } from '../lifecycle/create-container.ts'
import { attachedStreams, createBody } from '../options/create-body.ts'
import { createFlags, pullFlag } from '../options/create-flags.ts'
import { startFailureCode } from './exit-code.ts'
import { noSignalProxy, proxySignals } from './signal-proxy.ts'

// The daemon removes a container that failed to start. Its name should be free again when the command ends.
const removalLimitMs = 5000

export const command: Command = {
  usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
  operands: { min: 1 },
  flags: [
    ...createFlags,
    { name: 'detach', short: 'd', type: 'bool', help: 'Run the container in the background and print its id' },
    { name: 'detach-keys', type: 'string', help: 'Keys that detach from the container' },
    pullFlag('running'),
    { name: 'sig-proxy', type: 'bool', help: 'Forward signals to the process', defaultTrue: true },
  ],
  interspersed: false,
  async run(context, flags, [image = '', ...command]) {
    const detach = flags.bool('detach')
    if (detach && flags.has('attach'))
      throw new CliError(1, 'conflicting options: cannot specify both --attach and --detach')
    const fail125 = (error: unknown): never => {
      throw error instanceof CliError
        ? error
        : new CliError(125, withHelpHint(error, context.commandPath), { cause: error })
    }
    const body = prepare(context, flags, { image, command, detach }, fail125)
    const wanted = attachedStreams(flags, detach)
    if (wanted.stdin && flags.bool('tty') && !context.input.isTerminal)
      throw new CliError(1, 'the input device is not a TTY')
    const id = await createContainer(context, flags, body).catch(fail125)
    if (detach || !(wanted.stdin || wanted.stdout || wanted.stderr)) return startDetached(context, flags, id)
    return runAttached(context, flags, id, wanted)
  },
}

function prepare(
  { settings, output }: CliContext,
  flags: FlagValues,
  options: { readonly image: string; readonly command: readonly string[]; readonly detach: boolean },
  fail125: (error: unknown) => never,
): ReturnType<typeof createBody> {
  try {
    refuseContentTrust(settings, flags)
    checkPullPolicy(flags.string('pull', 'missing'))
    parseDetachKeys(flags.string('detach-keys'))
    const consoleSize =
      flags.bool('tty') && output.isTerminal ? ([output.rows, output.columns] as const) : ([0, 0] as const)
    return createBody(flags, {
      ...options,
      environment: settings.environment,
      proxies: proxyVariables(settings),
      consoleSize,
    })
  } catch (error) {
    return fail125(error)
  }
}

async function startDetached(context: CliContext, flags: FlagValues, id: string): Promise<number> {
  const { client, output, commandPath } = context
  const tty = flags.bool('tty')
  try {
    await client.containerLifecycle.start(id)
  } catch (error) {
    throw new CliError(startFailureCode(error, 125), withHelpHint(error, commandPath), { cause: error })
  }
  // The container keeps this size for later attaches.
  if (tty && output.isTerminal) {
    await client.containerIo.resize(id, { height: output.rows, width: output.columns }).catch(() => undefined)
  }
  output.write(`${id}\n`)
  return 0
}

type Wanted = ReturnType<typeof attachedStreams>

async function runAttached(context: CliContext, flags: FlagValues, id: string, wanted: Wanted): Promise<number> {
  const { client, commandPath } = context
  const tty = flags.bool('tty')
  const detachKeys = flags.string('detach-keys') || context.settings.file().detachKeys || ''
  // Both come before the start, so that no output is missed, and neither is the end.
  const [stream, wait] = await Promise.all([
    client.containerIo.attach(id, { ...wanted, detachKeys, tty }),
    client.containerLifecycle.wait(id, flags.bool('rm') ? 'removed' : 'next-exit'),
  ]).catch((error: unknown) => {
    throw new CliError(125, withHelpHint(error, commandPath), { cause: error })
  })
  const name = flags.string('name') || shortId(id)
  const signals = flags.bool('sig-proxy') ? proxySignals(context, id, name) : noSignalProxy
  const stops = [signals.stop]
  const session = startSession(context, stream, wanted, { tty, detachKeys })
  try {
    try {
      await client.containerLifecycle.start(id)
    } catch (error) {
      await endSession(stream, session)
      if (flags.bool('rm')) await settledWithin(wait.result, removalLimitMs)
      throw new CliError(startFailureCode(error, 125), withHelpHint(error, commandPath), { cause: error })
    }
    if (tty && context.output.isTerminal) stops.push(watchSize(() => resize(context, id)))
    if ((await signals.orGiveUp(session)) === 'detached') return 0
    return await signals.orGiveUp(exitCodeOf(context, wait))
  } finally {
    for (const stop of stops) stop()
    await endSession(stream, session)
  }
}

function startSession(
  { input, output, errors }: CliContext,
  stream: AttachedStream,
  wanted: Wanted,
  options: { readonly tty: boolean; readonly detachKeys: string },
): Promise<SessionEnd> {
  const session = runSession(stream, { input: wanted.stdin ? input : undefined, output, errors }, options)
  // It is awaited after the start only. An earlier failure must not count as unhandled.
  session.catch(() => undefined)
  return session
}

/** Closes a session, if it has not ended by itself, and restores the terminal. */
export async function endSession(stream: AttachedStream, session: Promise<SessionEnd>): Promise<void> {
  stream.close()
  await session.catch(() => undefined)
}

/** Sends the size of the terminal to the daemon. */
export async function resize({ client, output }: CliContext, id: string): Promise<void> {
  await client.containerIo.resize(id, { height: output.rows, width: output.columns })
}

/** The exit code from a wait. */
export async function exitCodeOf({ errors }: Pick<CliContext, 'errors'>, wait: ArmedWait): Promise<number> {
  const result: ContainerWaitResponse = await wait.result
  const message = result.Error?.Message ?? ''
  if (message === '') return result.StatusCode
  errors.write(`Error waiting for container: ${message}\n`)
  return 125
}

/** Importing `node:timers/promises` would make every start a millisecond slower. */
function settledWithin(work: Promise<unknown>, limitMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, limitMs)
    const finish = (): void => {
      clearTimeout(timer)
      resolve()
    }
    work.then(finish, finish)
  })
}
