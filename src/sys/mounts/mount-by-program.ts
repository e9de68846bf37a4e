/** Mounts of file systems that wait for another machine: mount(2) itself would hold the whole daemon still for minutes. */
import { internal } from '../../base/index.ts'
import { memoryFile } from '../files/memfd.ts'
import { closeFd } from '../native/fd.ts'
import { runCommand } from '../processes/run-command.ts'
import type { Mount } from './mount.ts'

const tableFd = 3

/** Mounts `value` on `target` by the program mount(8), without its helpers, so that the kernel gets just these options.
 *  They are given as a table like /etc/fstab, because everybody may read a command line and there may be passwords.
 *  Throws `internal` with the reason, `unavailable` after `timeoutMs`. */
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

/** fstab(5): white space, and what has a meaning there, as octal numbers. */
function escapeField(text: string): string {
  return text.replace(/[\s\\#"]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`)
}

/** The first line without what everybody knows. For EINVAL mount(8) lists whatever may be wrong, which is no reason. */
function reasonIn(stderr: string): string {
  const [line = ''] = stderr.trim().split('\n')
  const reason = line.replace(/^mount: (?:\S+: )?/, '').replace(/\.$/, '')
  return reason.startsWith('wrong fs type, bad option') ? 'invalid argument' : reason
}
