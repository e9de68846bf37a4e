/** Puts the terminal into raw mode for `berth run -it` and the like. By `stty`, because Node's own raw mode leaves
 *  the translation of line ends on: programs that draw their screen need it off. */
import { spawnSync } from 'node:child_process'

/** The result puts the terminal back as it was. */
export function makeTerminalRaw(): () => void {
  const saved = stty(['-g'])
  stty(['raw', '-echo', '-iexten'])
  return () => void stty([saved])
}

function stty(args: readonly string[]): string {
  const { status, error, stdout } = spawnSync('stty', args, { stdio: ['inherit', 'pipe', 'inherit'], encoding: 'utf8' })
  if (error !== undefined) throw error
  if (status !== 0) throw new Error(`stty ${args.join(' ')} failed`)
  return stdout.trim()
}
