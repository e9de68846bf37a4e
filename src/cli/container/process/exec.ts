import type { ExecConfig } from '../../../api/index.ts'
import type { AttachedStream } from '../../../client/index.ts'
import { CliError } from '../../command/cli-error.ts'
import type { CliContext, Command } from '../../command/command.ts'
import type { FlagValues } from '../../flags/flag-values.ts'
import { runSession } from '../../terminal/attach-session.ts'
import { watchSize } from '../../terminal/signals.ts'
import { checkEnv } from '../options/check-values.ts'
import { readEnvironment } from '../options/environment-options.ts'
import { startFailure } from './exit-code.ts'

export const command: Command = {
  usage: '[OPTIONS] CONTAINER COMMAND [ARG...]',
  operands: { min: 2 },
  flags: [
    { name: 'detach', short: 'd', type: 'bool', help: 'Run the command in the background' },
    { name: 'detach-keys', type: 'string', help: 'Keys that detach from the container' },
    {
      name: 'env',
      short: 'e',
      type: 'list',
      help: 'Environment variable (NAME=VALUE, or NAME to pass it on)',
      check: checkEnv,
    },
    { name: 'env-file', type: 'list', help: 'File of environment variables' },
    { name: 'interactive', short: 'i', type: 'bool', help: 'Keep STDIN open' },
    { name: 'privileged', type: 'bool', help: 'Give the program all rights on the host' },
    { name: 'tty', short: 't', type: 'bool', help: 'Give the program a terminal' },
    { name: 'user', short: 'u', type: 'string', help: 'User to run as (NAME|UID[:GROUP|GID])' },
    { name: 'workdir', short: 'w', type: 'string', help: 'Directory to start in' },
  ],
  interspersed: false,
  async run(context, flags, [container = '', ...command]) {
    const { client, input } = context
    const detach = flags.bool('detach')
    const tty = flags.bool('tty')
    const config = execConfig(context, flags, command)
    if (!detach && tty && flags.bool('interactive') && !input.isTerminal) {
      await client.containers.inspect(container)
      throw new CliError(1, 'the input device is not a TTY')
    }
    const { Id: id } = await client.exec.create(container, config)
    const size = config.ConsoleSize == null ? {} : { ConsoleSize: config.ConsoleSize }
    try {
      if (!detach) return await runAttached(context, flags, id, await client.exec.start(id, { Tty: tty, ...size }))
      await client.exec.startDetached(id, { Tty: tty, ...size })
      return 0
    } catch (error) {
      throw startFailure(error)
    }
  },
}

/** The configuration for the flags that `exec` and `enter` share. */
export function execConfig(
  { settings, output }: CliContext,
  flags: FlagValues,
  command: readonly string[],
): ExecConfig {
  const attach = !flags.bool('detach')
  const tty = flags.bool('tty')
  const env = readEnvironment(flags.list('env-file'), flags.list('env'), settings.environment)
  return {
    User: flags.string('user'),
    Privileged: flags.bool('privileged'),
    Tty: tty,
    AttachStdin: attach && flags.bool('interactive'),
    AttachStdout: attach,
    AttachStderr: attach,
    Detach: !attach,
    DetachKeys: flags.string('detach-keys') || settings.file().detachKeys || '',
    WorkingDir: flags.string('workdir'),
    Cmd: command,
    ...(env.length === 0 ? {} : { Env: env }),
    ...(tty && output.isTerminal ? { ConsoleSize: [output.rows, output.columns] } : {}),
  }
}

/** Runs an exec with its streams attached. Gives its exit code. */
export async function runAttached(
  context: CliContext,
  flags: FlagValues,
  id: string,
  stream: AttachedStream,
): Promise<number> {
  const { client, input, output, errors, settings } = context
  const tty = flags.bool('tty')
  const detachKeys = flags.string('detach-keys') || settings.file().detachKeys || ''
  const resize = (): Promise<void> => client.exec.resize(id, { height: output.rows, width: output.columns })
  const stop = tty && output.isTerminal ? watchSize(resize) : undefined
  try {
    const end = await runSession(
      stream,
      { input: flags.bool('interactive') ? input : undefined, output, errors },
      { tty, detachKeys },
    )
    if (end === 'detached') throw new CliError(1, 'read escape sequence')
    return await exitCode(client, id)
  } finally {
    stop?.()
  }
}

const pollLimit = 50
const pollMs = 10

/** Waits for the exit code, because the output may end shortly before the daemon has it. */
async function exitCode(client: CliContext['client'], id: string): Promise<number> {
  for (let attempt = 0; ; attempt++) {
    const { Running: running, ExitCode: code } = await client.exec.inspect(id)
    if (!running || attempt >= pollLimit) return code ?? 0
    await new Promise((resolve) => setTimeout(resolve, pollMs))
  }
}
