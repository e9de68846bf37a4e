/** The mount options that the kernel needs for shares of other machines, and explanations of its errors. Pure.
 *  nfs(5); for CIFS https://docs.kernel.org/admin-guide/cifs/usage.html */

/** File system types that are mounted from another machine. */
export const networkTypes: ReadonlySet<string> = new Set(['nfs', 'nfs4', 'cifs', 'smb3', '9p', 'ceph', 'glusterfs'])

/** Options with the kernel's names. `user=` becomes `username=` for CIFS, because mount(8) uses `user=` itself. */
export function shareOptions(type: string, words: readonly string[]): readonly string[] {
  return isCifs(type) ? words.map((word) => word.replace(/^user=/, 'username=')) : words
}

/** The missing option without which the mount can't succeed on any kernel; undefined when none is missing. */
export function missingOption(type: string, words: readonly string[]): string | undefined {
  if (isNfs(type) && valueIn(words, 'addr') === '') {
    return 'invalid argument: o must have addr=ADDRESS: the kernel learns the server from there, not from device'
  }
  return undefined
}

/** The message for a failed mount: the kernel's reason and its likely cause. */
export function shareProblem(type: string, words: readonly string[], reason: string): string {
  const hint = hintFor(type, words, reason)
  return hint === undefined ? reason : `${reason} (${hint})`
}

/** The options with each password replaced by stars. */
export function hidePasswords(words: readonly string[]): string[] {
  return words.map((word) => word.replace(/((?:^|[^a-z])(?:pass|passwd|password|password2|secret)=).*/, '$1********'))
}

function hintFor(type: string, words: readonly string[], reason: string): string | undefined {
  if (/unknown filesystem type/.test(reason)) return `the host's kernel has no ${type}: is its module installed?`
  const has = (...names: string[]) => words.some((word) => names.includes(word.split('=')[0] ?? ''))
  if (type === 'nfs' && !has('nfsvers', 'vers', 'v3', 'v4', 'v4.0', 'v4.1', 'v4.2')) {
    return 'without nfsvers= the kernel asks for NFS 3: add nfsvers=4 to o for a server of NFS 4'
  }
  if (!isCifs(type)) return undefined
  if (has('credentials', 'cred')) return 'the kernel reads no credentials file: give username= and password= in o'
  if (has('username', 'sec')) return undefined
  if (has('guest')) return 'the kernel knows no guest: give sec=none in o instead'
  return 'o has neither username= nor sec=none'
}

function valueIn(words: readonly string[], name: string): string {
  return words.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1) ?? ''
}

function isNfs(type: string): boolean {
  return type === 'nfs' || type === 'nfs4'
}

function isCifs(type: string): boolean {
  return type === 'cifs' || type === 'smb3'
}
