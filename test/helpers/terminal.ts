/** A program on a real pseudo-terminal. `script` of util-linux holds the master side, so the result does not depend
 *  on the code under test. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type CommandOptions, RunningCommand, runOrThrow } from './command.ts'
import { until } from './wait.ts'

/** A running program whose stdin, stdout and stderr are one terminal. */
export class TerminalCommand extends RunningCommand {
  readonly #directory: string

  constructor(
    command: readonly string[],
    { rows = 24, columns = 80, ...options }: CommandOptions & { rows?: number; columns?: number } = {},
  ) {
    const directory = mkdtempSync('/tmp/b-tty-')
    const shell = `stty rows ${rows} cols ${columns}; tty >${directory}/tty; exec ${command.map(quote).join(' ')}`
    super('script', ['-qefc', shell, '/dev/null'], options, true)
    this.#directory = directory
    void this.ended.finally(() => rmSync(directory, { recursive: true, force: true })).catch(() => {})
  }

  /** Changes the terminal's size like a user who drags its window: the program gets SIGWINCH. */
  async resize(rows: number, columns: number): Promise<void> {
    const file = join(this.#directory, 'tty')
    await until(() => existsSync(file) && readFileSync(file, 'utf8').endsWith('\n'), { what: 'the terminal' })
    await runOrThrow('stty', ['-F', readFileSync(file, 'utf8').trim(), 'rows', String(rows), 'cols', String(columns)])
  }
}

function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`
}
