/** Fetches git repositories with the host's git: shallow, without prompts, hooks, or the configuration of the daemon's
 *  user. */
import { existsSync, mkdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { type AbortOptions, BerthError, errnoOf, invalidArgument, notFound } from '../../base/index.ts'
import { defaultEnv, runCommand } from '../../sys/index.ts'
import type { RemoteSource } from '../dockerfile/index.ts'
import type { BuildParts } from '../model/build-parts.ts'

type GitSource = Extract<RemoteSource, { kind: 'git' }>

const timeoutMs = 10 * 60 * 1000
const fullCommit = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/

/** Gives the commit of a branch, tag or commit id. Without `reference`, that of the default branch. Throws
 *  `notFound` when the repository does not have it. */
export async function resolveRevision(
  remote: string,
  reference: string | undefined,
  options: AbortOptions = {},
): Promise<string> {
  if (reference !== undefined && fullCommit.test(reference)) return reference
  const wanted = reference ?? 'HEAD'
  if (wanted.startsWith('-')) throw invalidArgument(`invalid git reference ${JSON.stringify(wanted)}`)
  const names =
    reference === undefined
      ? ['HEAD']
      : [`refs/heads/${wanted}`, `refs/tags/${wanted}^{}`, `refs/tags/${wanted}`, wanted]
  const output = await git(['ls-remote', '--', checkedRemote(remote), wanted, `${wanted}^{}`], options)
  const found = new Map(
    output.split('\n').flatMap((line) => {
      const [commit = '', name = ''] = line.split('\t')
      return name === '' ? [] : [[name, commit] as const]
    }),
  )
  for (const name of names) {
    const commit = found.get(name)
    if (commit !== undefined) return commit
  }
  throw notFound(`repository does not contain ref ${wanted}: ${remote}`)
}

/** Options of `checkOutRepository`. */
export interface CheckOutOptions extends AbortOptions {
  /** Keep `.git` in the checkout. */
  readonly keepGitDir?: boolean
  /** Receives `.git` when it is not kept. */
  readonly trash: Pick<BuildParts['trash'], 'discard'>
}

/** Checks out a commit into `directory`, which must not exist. Gives the path of the source's subdirectory. The caller
 *  must discard the directory, also after a failure. */
export async function checkOutRepository(
  source: GitSource,
  commit: string,
  directory: string,
  { keepGitDir = false, trash, signal }: CheckOutOptions,
): Promise<string> {
  const remote = checkedRemote(source.remote)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const inside = (args: readonly string[]) => git(['-C', directory, ...args], { signal })
  await inside(['init', '-q', '.'])
  await inside(['remote', 'add', 'origin', remote])
  try {
    await inside(['fetch', '-q', '--depth=1', 'origin', commit])
  } catch (error) {
    if (signal?.aborted === true) throw error
    // Some servers refuse a commit that no branch or tag points to.
    await inside(['fetch', '-q', '--tags', 'origin', source.reference ?? '+refs/heads/*:refs/remotes/origin/*'])
  }
  await inside(['-c', 'core.symlinks=true', 'checkout', '-q', '--detach', commit])
  if (existsSync(join(directory, '.gitmodules'))) {
    await inside(['submodule', 'update', '-q', '--init', '--recursive', '--depth=1'])
  }
  if (!keepGitDir) trash.discard(join(directory, '.git'))
  return subdirectoryOf(directory, source.subdirectory)
}

/** Resolves the subdirectory. A symlink in the repository must not lead out of it. */
function subdirectoryOf(directory: string, subdirectory: string | undefined): string {
  if (subdirectory === undefined) return directory
  let found: string
  try {
    found = realpathSync(join(directory, subdirectory))
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
    throw notFound(`subdirectory ${subdirectory} is not in the repository`)
  }
  const root = realpathSync(directory)
  if (found !== root && !found.startsWith(`${root}/`))
    throw invalidArgument(`subdirectory ${subdirectory} leads out of the repository`)
  return found
}

function checkedRemote(remote: string): string {
  if (remote.startsWith('-')) throw invalidArgument(`invalid git remote ${JSON.stringify(remote)}`)
  return remote
}

async function git(args: readonly string[], { signal }: AbortOptions): Promise<string> {
  const env = {
    ...defaultEnv,
    GIT_TERMINAL_PROMPT: '0',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ALLOW_PROTOCOL: 'https:http:git:ssh',
    GIT_SSH_COMMAND: 'ssh -o BatchMode=yes',
    HOME: '/nonexistent',
  }
  const hardened = ['-c', 'core.hooksPath=/dev/null', '-c', 'protocol.file.allow=never', ...args]
  try {
    const { code, stdout, stderr } = await runCommand('git', hardened, {
      env,
      timeoutMs,
      ...(signal === undefined ? {} : { signal }),
    })
    if (code === 0) return stdout.toString('utf8')
    throw new BerthError('invalidArgument', `git ${args[0] === '-C' ? args[2] : args[0]}: ${stderr.trim()}`)
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
    throw new BerthError('unavailable', 'git is not installed on the host of the engine', { cause: error })
  }
}
