/** Programs that tests start: finished ones with their output, and running ones to interact with. */
import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { patience, until } from './wait.ts'

export interface CommandResult {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface CommandOptions {
  /** Written to the program's standard input, which then ends. Without it, standard input is /dev/null. */
  readonly input?: string | Buffer
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
  readonly timeoutMs?: number
}

/** The path of a program on the PATH, or undefined. */
export function findProgram(name: string): string | undefined {
  for (const directory of (process.env.PATH ?? '').split(delimiter)) {
    try {
      accessSync(join(directory, name), constants.X_OK)
      return join(directory, name)
    } catch {
      // not there
    }
  }
  return undefined
}

/** A running program. Its output so far is in `stdout` and `stderr`. */
export class RunningCommand {
  readonly #child: ChildProcess
  stdout = ''
  stderr = ''
  readonly ended: Promise<CommandResult>

  constructor(
    path: string,
    args: readonly string[],
    { input, env, cwd, timeoutMs }: CommandOptions & { keepInput?: boolean } = {},
    keepInput = false,
  ) {
    const child = spawn(path, args, {
      env: { ...process.env, ...env },
      cwd,
      stdio: [input === undefined && !keepInput ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      ...(timeoutMs !== undefined && { timeout: timeoutMs * patience, killSignal: 'SIGKILL' }),
    })
    this.#child = child
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
    })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
    child.stdin?.on('error', () => {}) // the program may exit without reading all
    if (input !== undefined) child.stdin?.end(input)
    this.ended = new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, signal) => resolve({ code, signal, stdout: this.stdout, stderr: this.stderr }))
    })
    this.ended.catch(() => {}) // reported where `ended` is awaited
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  get pid(): number {
    return this.#child.pid ?? -1
  }

  write(text: string | Buffer): void {
    this.#child.stdin?.write(text)
  }

  endInput(): void {
    this.#child.stdin?.end()
  }

  kill(signal: NodeJS.Signals = 'SIGTERM'): void {
    this.#child.kill(signal)
  }

  /** Waits until the output (both streams) matches. */
  async sees(pattern: RegExp | string, timeoutMs = 30_000): Promise<void> {
    const found = () => {
      const all = this.stdout + this.stderr
      return typeof pattern === 'string' ? all.includes(pattern) : pattern.test(all)
    }
    await until(found, { timeoutMs, what: () => `${pattern} in the output:\n${this.stdout}${this.stderr}` })
  }
}

/** Runs a program to its end. A program that hangs is killed after a minute. */
export function runCommand(
  path: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return new RunningCommand(path, args, { timeoutMs: 60_000, ...options }).ended
}

/** Runs a program that must succeed; returns its standard output without the last newline. */
export async function runOrThrow(path: string, args: readonly string[], options?: CommandOptions): Promise<string> {
  const { code, signal, stdout, stderr } = await runCommand(path, args, options)
  if (code !== 0) throw new Error(`${path} ${args.join(' ')}: ${signal ?? `exit code ${code}`}\n${stdout}${stderr}`)
  return stdout.replace(/\n$/, '')
}
