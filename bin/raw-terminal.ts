/** Switches the terminal to raw mode for `berth run -it` and the like. It uses `stty`, because Node's own raw mode
 *  still translates line ends, and programs that draw their screen need that off. */
import { spawnSync } from 'node:child_process'

/** The returned function restores the terminal. */
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
