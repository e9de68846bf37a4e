/** An ordinary user of the host, without rights on the daemon. */
import { type CommandResult, runCommand, runOrThrow } from '../command.ts'

export interface Ids {
  readonly uid: number
  readonly gid: number
}

/** `nobody` and `nogroup` of Debian. */
export const nobody: Ids = { uid: 65_534, gid: 65_534 }

/** The command line that runs a program as this user: setpriv(1). */
export function asUser({ uid, gid }: Ids, command: readonly string[]): readonly [string, ...string[]] {
  const ids = ['--reuid', String(uid), '--regid', String(gid), '--clear-groups', '--inh-caps=-all']
  return ['setpriv', ...ids, ...command]
}

/** Runs a script of sh(1) as this user. */
export async function runAs(ids: Ids, script: string, input?: string): Promise<CommandResult> {
  const [program, ...args] = asUser(ids, ['sh', '-c', script])
  return await runCommand(program, args, { cwd: '/', ...(input === undefined ? {} : { input }) })
}

/** Everything below the directories, as root sees it. Files that disappear meanwhile are left out. */
export async function pathsBelow(directories: readonly string[]): Promise<readonly string[]> {
  const found = await runOrThrow('sh', ['-c', 'find "$@" -mindepth 1 2>/dev/null || true', 'sh', ...directories])
  return found.split('\n')
}

/** The paths that the user can stat. Knowing a path is enough to try, and conmon's command line shows some. */
export async function reachedBy(ids: Ids, paths: readonly string[]): Promise<readonly string[]> {
  const script = 'while IFS= read -r path; do [ -e "$path" ] || [ -L "$path" ] && printf "%s\\n" "$path"; done; true'
  const { stdout } = await runAs(ids, script, `${paths.join('\n')}\n`)
  return stdout.split('\n').filter((path) => path !== '')
}

/** The files that the user can open for reading. */
export async function readableBy(ids: Ids, paths: readonly string[]): Promise<readonly string[]> {
  const script = 'while IFS= read -r path; do [ -f "$path" ] && [ -r "$path" ] && printf "%s\\n" "$path"; done; true'
  const { stdout } = await runAs(ids, script, `${paths.join('\n')}\n`)
  return stdout.split('\n').filter((path) => path !== '')
}
