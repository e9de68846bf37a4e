import { isKind, messageOf } from '../../base/index.ts'
import { Credentials, hostOfServer, hubServer, type StoredCredentials } from '../../config/client/index.ts'
import { CliError } from '../command/cli-error.ts'
import type { CliContext, Command } from '../command/command.ts'
import { askLine, askSecret } from '../command/prompt.ts'
import type { FlagValues } from '../flags/flag-values.ts'
import { serverOf, toAuthConfig } from './registry-auth.ts'

const noTerminal = 'Error: Cannot perform an interactive login from a non TTY device'
const maxSecretBytes = 1 << 20

export const command: Command = {
  usage: '[OPTIONS] [SERVER]',
  operands: { min: 0, max: 1 },
  flags: [
    {
      name: 'password',
      short: 'p',
      type: 'string',
      help: 'Password or access token; other users can see it, so prefer --password-stdin',
    },
    { name: 'password-stdin', type: 'bool', help: 'Read the password or access token from stdin' },
    { name: 'username', short: 'u', type: 'string', help: 'User name' },
  ],
  async run(context, flags, [operand = '']) {
    const given = await readFlags(context, flags)
    const server = operand === '' ? hubServer : serverOf(hostOfServer(operand))
    const credentials = new Credentials(context.settings, context.runProgram)
    const known = given.username === '' && given.password === '' ? await credentials.get(server) : undefined
    const status =
      (known === undefined ? undefined : await loginAsKnown(context, credentials, server, known)) ??
      (await loginAs(context, credentials, server, await complete(context, given, known?.username ?? '')))
    context.output.write(`${status}\n`)
    return 0
  },
}

/** Reads the credentials from the flags and standard input. */
async function readFlags(context: CliContext, flags: FlagValues): Promise<StoredCredentials> {
  const { errors, input } = context
  const username = flags.string('username')
  const fromInput = flags.bool('password-stdin')
  if (fromInput && flags.has('password')) {
    throw new CliError(1, 'conflicting options: cannot specify both --password and --password-stdin')
  }
  if (flags.has('username') && username.trim() === '') throw new CliError(1, 'username is empty')
  if (flags.has('password')) {
    if (flags.string('password') === '') throw new CliError(1, 'password is empty')
    errors.write('WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n')
  }
  if (!fromInput) return { username, password: flags.string('password'), identityToken: '' }
  if (username === '') throw new CliError(1, 'the --password-stdin option requires --username to be set')
  const password = (await readAll(input)).replace(/\n$/, '').replace(/\r$/, '')
  return { username, password, identityToken: '' }
}

async function readAll(input: CliContext['input']): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of input.chunks()) {
    chunks.push(chunk)
    length += chunk.length
    if (length > maxSecretBytes) throw new CliError(1, `password is longer than ${maxSecretBytes} bytes`)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** Logs in with the stored credentials. Undefined when there are none, or the login fails. */
async function loginAsKnown(
  context: CliContext,
  credentials: Credentials,
  server: string,
  known: StoredCredentials,
): Promise<string | undefined> {
  if (known.identityToken === '' && (known.username === '' || known.password === '')) return undefined
  const { client, errors } = context
  const user = known.username === '' ? '' : ` [Username: ${known.username}]`
  errors.write(`Authenticating with existing credentials...${user}\n`)
  errors.write("To log in with another account, run 'berth logout' first.\n")
  try {
    const { Status, IdentityToken } = await client.registries.login(toAuthConfig(known, server))
    const token = IdentityToken ?? ''
    if (token !== '' && token !== known.identityToken) await save(credentials, server, known, token)
    return Status
  } catch (error) {
    const isOver = isKind(error, 'unauthorized')
    errors.write(
      isOver ? 'Stored credentials invalid or expired\n' : `Login did not succeed, error: ${messageOf(error)}\n`,
    )
    return undefined
  }
}

/** Asks for the credentials that are missing. */
async function complete(context: CliContext, given: StoredCredentials, lastUser: string): Promise<StoredCredentials> {
  const { username: givenName, password: givenPassword } = given
  if (givenName !== '' && givenPassword !== '') return given
  if (!context.input.isTerminal) throw new CliError(1, noTerminal)
  const username = givenName || (await askUser(context, lastUser))
  const password = givenPassword || (await askSecret(context, 'Password: '))
  if (password === '') throw new CliError(1, 'Error: Password Required')
  return { username, password, identityToken: '' }
}

async function askUser(context: CliContext, lastUser: string): Promise<string> {
  const answer = await askLine(context, lastUser === '' ? 'Username: ' : `Username (${lastUser}): `)
  const username = answer || lastUser
  if (username === '') throw new CliError(1, 'Error: Non-null Username Required')
  return username
}

async function loginAs(
  { client, errors }: CliContext,
  credentials: Credentials,
  server: string,
  user: StoredCredentials,
): Promise<string> {
  const { Status, IdentityToken } = await client.registries.login(toAuthConfig(user, server))
  await save(credentials, server, user, IdentityToken ?? '')
  if ((IdentityToken ?? '') === '' && credentials.isPlain(server)) errors.write(plainWarning(credentials.path))
  return Status
}

/** Stores the credentials. If the registry gave a token, it replaces the password. */
async function save(credentials: Credentials, server: string, user: StoredCredentials, token: string): Promise<void> {
  try {
    await credentials.store(server, token === '' ? user : { ...user, password: '', identityToken: token })
  } catch (error) {
    throw new CliError(1, `Error saving credentials: ${messageOf(error)}`, { cause: error })
  }
}

function plainWarning(path: string): string {
  return `
WARNING! Your credentials are stored unencrypted in '${path}'.
Configure a credential helper to remove this warning. See
https://docs.docker.com/go/credential-store/

`
}
