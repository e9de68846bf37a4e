/** Runs `berth` in this process, with its output captured, and the official `docker` for comparison. */
import { execFile } from 'node:child_process'
import { accessSync } from 'node:fs'
import { join } from 'node:path'
import { main } from '../main.ts'
import type { Input } from '../terminal/input.ts'
import type { Output } from '../terminal/output.ts'

/** The output and the exit code of a command line. */
export interface CliResult {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/** An output that keeps what is written. */
export class CapturedOutput implements Output {
  readonly isTerminal: boolean
  readonly columns: number
  readonly rows = 24
  #chunks: Buffer[] = []

  constructor({ isTerminal = false, columns = 80 }: { readonly isTerminal?: boolean; readonly columns?: number } = {}) {
    this.isTerminal = isTerminal
    this.columns = columns
  }

  write(text: string | Uint8Array): void {
    this.#chunks.push(Buffer.from(text as string))
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString('utf8')
  }
}

/** An input with this content. With `open`, it does not end. */
export function givenInput(
  content: string,
  { isTerminal = false, open = false } = {},
): Input & { readonly raw: boolean[] } {
  const raw: boolean[] = []
  return {
    isTerminal,
    raw,
    read(onData, onEnd) {
      const timer = setImmediate(() => {
        if (content !== '') onData(Buffer.from(content))
        if (!open) onEnd()
      })
      return () => clearImmediate(timer)
    },
    async *chunks() {
      if (content !== '') yield Buffer.from(content)
    },
    async makeRaw() {
      raw.push(true)
      return () => void raw.push(false)
    },
    resume() {},
    pause() {},
  }
}

/** The surroundings of a run. */
export interface RunOptions {
  readonly input?: Input
  readonly output?: CapturedOutput
  readonly environment?: Readonly<Record<string, string | undefined>>
  readonly onNoDaemon?: (path: string) => Promise<void>
}

/** Runs `berth` in this process. */
export async function runBerth(args: readonly string[], options: RunOptions = {}): Promise<CliResult> {
  const output = options.output ?? new CapturedOutput()
  const errors = new CapturedOutput()
  const exitCode = await main(args, {
    output,
    errors,
    input: options.input ?? givenInput(''),
    environment: { DOCKER_CONFIG: '/nonexistent', ...options.environment },
    ...(options.onNoDaemon === undefined ? {} : { onNoDaemon: options.onNoDaemon }),
  })
  return { exitCode, stdout: output.text, stderr: errors.text }
}

/** The path of the official CLI; undefined when it is not installed, or not version 28. */
export function dockerPath(): string | undefined {
  for (const directory of (process.env.PATH ?? '').split(':')) {
    try {
      accessSync(join(directory, 'docker'))
      return join(directory, 'docker')
    } catch {
      // It is not in this directory.
    }
  }
  return undefined
}

/** Runs the official CLI. */
export function runDocker(args: readonly string[], input = ''): Promise<CliResult> {
  return new Promise((resolve) => {
    const child = execFile(
      'docker',
      args,
      { env: { ...process.env, DOCKER_CONFIG: '/nonexistent', DOCKER_CLI_HINTS: 'false' } },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
        resolve({ exitCode: code, stdout, stderr })
      },
    )
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(input)
  })
}
