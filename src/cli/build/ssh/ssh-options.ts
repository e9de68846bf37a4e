/** `--ssh`: the agents that steps with `--mount=type=ssh` can use, or keys for an agent in this process.
 *  https://docs.docker.com/reference/cli/docker/buildx/build/#ssh */
import type { Duplex } from 'node:stream'
import { errnoOf, messageOf } from '../../../base/index.ts'
import { CliError } from '../../command/cli-error.ts'
import { fs, net } from '../../terminal/builtins.ts'
import { parseSshKey, type SshKey, SshKeyError } from './ssh-key.ts'
import { openKeyAgent } from './ssh-key-agent.ts'

/** An agent, and the name by which mounts refer to it. */
export type SshAgent =
  | { readonly id: string; readonly socketPath: string }
  | { readonly id: string; readonly keys: readonly SshKey[] }

/** Parses `default`, `default=/path/of/socket`, `name=$SSH_AUTH_SOCK` and `default=key,key`. Throws for other
 *  values. */
export function parseSshAgents(
  values: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): readonly SshAgent[] {
  const agents = new Map<string, SshAgent>()
  for (const value of values) {
    const equals = value.indexOf('=')
    const id = (equals === -1 ? value : value.slice(0, equals)) || 'default'
    if (agents.has(id)) throw new CliError(1, `ERROR: invalid duplicate ID ${id}`)
    const paths =
      equals === -1
        ? []
        : value
            .slice(equals + 1)
            .split(',')
            .filter((path) => path !== '')
    agents.set(id, agentOf(id, paths.length === 0 ? [environment.SSH_AUTH_SOCK ?? ''] : paths))
  }
  return [...agents.values()]
}

function agentOf(id: string, paths: readonly string[]): SshAgent {
  const [first = ''] = paths
  if (first === '') throw new CliError(1, 'ERROR: invalid empty ssh agent socket: make sure SSH_AUTH_SOCK is set')
  const sockets = paths.filter(isSocket)
  if (sockets.length === 0) return { id, keys: paths.map(readKey) }
  if (paths.length > sockets.length) throw new CliError(1, 'ERROR: invalid combination of keys and sockets')
  if (sockets.length > 1) throw new CliError(1, 'ERROR: only single socket allowed')
  return { id, socketPath: first }
}

function isSocket(path: string): boolean {
  try {
    return fs.statSync(path).isSocket()
  } catch (error) {
    const why = errnoOf(error) === 'ENOENT' ? 'no such file or directory' : messageOf(error)
    throw new CliError(1, `ERROR: failed to stat ${path}: stat ${path}: ${why}`, { cause: error })
  }
}

/** A longer file is not a key. */
const maxKeyBytes = 100 * 1024

function readKey(path: string): SshKey {
  try {
    if (fs.statSync(path).size > maxKeyBytes) throw new SshKeyError('it is too large')
    return parseSshKey(fs.readFileSync(path, 'utf8'))
  } catch (error) {
    throw new CliError(1, `ERROR: failed to parse ${path}: ${messageOf(error)}`, { cause: error })
  }
}

/** Opens a connection to an agent. */
export async function connectAgent(agent: SshAgent): Promise<Duplex> {
  if ('keys' in agent) return openKeyAgent(agent.keys)
  const { socketPath } = agent
  const { promise, resolve, reject } = Promise.withResolvers<Duplex>()
  const socket = net().connect({ path: socketPath })
  socket.once('connect', () => resolve(socket))
  socket.once('error', (error) => reject(new Error(`connect to the ssh agent at ${socketPath}: ${error.message}`)))
  return await promise
}
