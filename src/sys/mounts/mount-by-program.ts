/** Mounts of network file systems, by the program mount(8). A call of mount(2) could block the whole daemon for minutes
 *  while it waits for another machine. */
import { internal } from '../../base/index.ts'
import { memoryFile } from '../files/memfd.ts'
import { closeFd } from '../native/fd.ts'
import { runCommand } from '../processes/run-command.ts'
import type { Mount } from './mount.ts'

const tableFd = 3

/** Mounts on `target` by mount(8), without mount's helper programs, so that the kernel gets exactly these options. The
 *  options may contain passwords, and every user can read command lines, so they are passed as a table like /etc/fstab.
 *  Throws `internal` with the reason, and `unavailable` after `timeoutMs`. */
export async function mountByProgram(
  { type, source, options }: Mount,
  target: string,
  { timeoutMs }: { readonly timeoutMs: number },
): Promise<void> {
  const words = options.length === 0 ? ['defaults'] : options
  const line = [source, target, type, words.join(',')].map(escapeField).join(' ')
  const table = memoryFile(`${line} 0 0\n`, 'fstab')
  try {
    const args = ['--internal-only', '--fstab', `/proc/self/fd/${tableFd}`, '--target', target]
    const { code, stderr } = await runCommand('mount', args, { timeoutMs, fds: new Map([[tableFd, table]]) })
    if (code === 0) return
    throw internal(reasonIn(stderr) || `mount ended with ${code}`)
  } finally {
    closeFd(table)
  }
}

/** Escapes white space and special characters as octal numbers, as fstab(5) requires. */
function escapeField(text: string): string {
  return text.replace(/[\s\\#"]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`)
}

/** The reason in mount's first error line, without the program's name and target. For EINVAL, mount(8) only lists
 *  everything that may be wrong; that text is replaced. */
function reasonIn(stderr: string): string {
  const [line = ''] = stderr.trim().split('\n')
  const reason = line.replace(/^mount: (?:\S+: )?/, '').replace(/\.$/, '')
  return reason.startsWith('wrong fs type, bad option') ? 'invalid argument' : reason
}
