/** `--ssh`: agents that steps with `--mount=type=ssh` may ask.
 *  https://docs.docker.com/reference/dockerfile/#run---mounttypessh */
import type { Socket } from 'node:net'
import { errnoOf, messageOf } from '../../base/index.ts'
import { fs, net } from '../builtins.ts'
import { CliError } from '../cli-error.ts'

/** An agent by the name that mounts ask for. */
export interface SshAgent {
  readonly id: string
  readonly socketPath: string
}

/** `default`, `default=/path/of/socket`, `name=$SSH_AUTH_SOCK`. Throws for what is no agent. */
export function parseSshAgents(
  values: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): readonly SshAgent[] {
  const agents = new Map<string, SshAgent>()
  for (const value of values) {
    const equals = value.indexOf('=')
    const id = (equals === -1 ? value : value.slice(0, equals)) || 'default'
    if (agents.has(id)) throw new CliError(1, `ERROR: invalid duplicate ID ${id}`)
    agents.set(id, { id, socketPath: socketOf(equals === -1 ? '' : value.slice(equals + 1), environment) })
  }
  return [...agents.values()]
}

function socketOf(given: string, environment: Readonly<Record<string, string | undefined>>): string {
  const path = given === '' ? (environment.SSH_AUTH_SOCK ?? '') : given
  if (path === '') throw new CliError(1, 'ERROR: invalid empty ssh agent socket: make sure SSH_AUTH_SOCK is set')
  if (path.includes(',')) throw new CliError(1, `ERROR: ${keysRefused(path)}`)
  let isSocket: boolean
  try {
    isSocket = fs.statSync(path).isSocket()
  } catch (error) {
    const why = errnoOf(error) === 'ENOENT' ? 'no such file or directory' : messageOf(error)
    throw new CliError(1, `ERROR: failed to stat ${path}: stat ${path}: ${why}`, { cause: error })
  }
  if (!isSocket) throw new CliError(1, `ERROR: ${keysRefused(path)}`)
  return path
}

/** Keys stay with a program that is made to keep them. */
function keysRefused(path: string): string {
  return `${path} is not the socket of an agent; add keys to an agent (ssh-add) and give its socket`
}

/** A connection to an agent. */
export function connectAgent({ socketPath }: SshAgent): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>()
  const socket = net().connect({ path: socketPath })
  socket.once('connect', () => resolve(socket))
  socket.once('error', (error) => reject(new Error(`connect to the ssh agent at ${socketPath}: ${error.message}`)))
  return promise
}
