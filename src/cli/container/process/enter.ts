/** `berth enter`: a shell in a container. If the container has none, the daemon adds busybox. */
import type { CliContext, Command } from '../../command/command.ts'
import { FlagValues } from '../../flags/flag-values.ts'
import { execConfig, runAttached } from './exec.ts'
import { startFailure } from './exit-code.ts'

export const command: Command = {
  usage: '[OPTIONS] CONTAINER [COMMAND [ARG...]]',
  operands: { min: 1 },
  flags: [
    { name: 'busybox', short: 'b', type: 'bool', help: "Use the host's busybox even if the container has a shell" },
    { name: 'detach-keys', type: 'string', help: 'Keys that detach from the container' },
    {
      name: 'env',
      short: 'e',
      type: 'list',
      help: 'Environment variable (NAME=VALUE, or NAME to pass it on)',
    },
    { name: 'user', short: 'u', type: 'string', help: 'User to run as (NAME|UID[:GROUP|GID]), 0 by default' },
    { name: 'workdir', short: 'w', type: 'string', help: 'Directory to start in' },
  ],
  interspersed: false,
  async run(context, flags, [container = '', ...words]) {
    const { client, input, output } = context
    const tools = flags.bool('busybox') || !(await hasShell(context, container))
    const tty = input.isTerminal && output.isTerminal
    // The same as if the user had passed these flags to `exec`.
    const set = new Map<string, readonly string[]>([
      ['interactive', ['true']],
      ['tty', [String(tty)]],
      ['user', [flags.string('user') || '0']],
      ['workdir', [flags.string('workdir')]],
      ['detach-keys', [flags.string('detach-keys')]],
      ['env', flags.list('env')],
    ])
    const own = new FlagValues(set)
    const config = { ...execConfig(context, own, commandLine(words, tools)), ...(tools ? { BerthTools: true } : {}) }
    const { Id: id } = await client.exec.create(container, config)
    const size = config.ConsoleSize == null ? {} : { ConsoleSize: config.ConsoleSize }
    try {
      return await runAttached(context, own, id, await client.exec.start(id, { Tty: tty, ...size }))
    } catch (error) {
      throw startFailure(error)
    }
  },
}

/** Busybox's shell finds its own applets first, then the programs on the PATH. */
function commandLine(words: readonly string[], tools: boolean): string[] {
  if (words.length === 0) return ['sh']
  return tools ? ['sh', '-c', 'exec "$@"', 'sh', ...words] : [...words]
}

async function hasShell({ client }: CliContext, container: string): Promise<boolean> {
  try {
    await client.containerFiles.statPath(container, '/bin/sh')
    return true
  } catch {
    // If there is something wrong with the container, the exec reports it.
    return false
  }
}
