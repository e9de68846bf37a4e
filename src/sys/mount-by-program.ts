/** Mounts of file systems that wait for another machine: mount(2) itself would hold the whole daemon still for minutes. */
import { internal } from '../base/index.ts'
import type { Mount } from './mount.ts'
import { runCommand } from './run-command.ts'

/** Mounts `value` on `target` by the program mount(8), without its helpers, so that the kernel gets just these options.
 *  Throws `internal` with the reason, `unavailable` after `timeoutMs`. */
export async function mountByProgram(
  { type, source, options }: Mount,
  target: string,
  { timeoutMs }: { readonly timeoutMs: number },
): Promise<void> {
  const words = options.length === 0 ? [] : ['-o', options.join(',')]
  const args = ['--internal-only', '-t', type, ...words, '--', source, target]
  const { code, stderr } = await runCommand('mount', args, { timeoutMs })
  if (code === 0) return
  const [line = ''] = stderr.trim().split('\n')
  throw internal(line.replace(/^mount: (?:\S+: )?/, '').replace(/\.$/, '') || `mount ended with ${code}`)
}
