/** `berth registry htpasswd`: prints a line for the registry's users, on machines without Apache's program. */
import { hashPassword } from '../../registry/server/index.ts'
import { CliError } from '../command/cli-error.ts'
import type { CliContext, Command } from '../command/command.ts'
import { askSecret } from '../command/prompt.ts'

export const command: Command = {
  usage: 'USER',
  operands: { min: 1, max: 1 },
  flags: [],
  async run(context, _flags, [user = '']) {
    // These characters would end the name or the line in the file.
    if (user === '' || /[:\s]/.test(user)) throw new CliError(1, `invalid user name ${JSON.stringify(user)}`)
    const password = await readPassword(context)
    context.output.write(`${user}:${await hashPassword(password)}\n`)
    return 0
  },
}

/** Asks on a terminal. Otherwise standard input is the password, without its last line feed. */
async function readPassword(context: CliContext): Promise<string> {
  // The prompt must not end up in the file that the line is written to.
  if (context.input.isTerminal) return askSecret({ ...context, output: context.errors }, 'Password: ')
  const chunks: Buffer[] = []
  for await (const chunk of context.input.chunks()) chunks.push(chunk)
  return Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '')
}
