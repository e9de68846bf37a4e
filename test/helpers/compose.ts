/** Debian's docker-compose with a project of its own: 1.29 on Python (bookworm), or 2 (trixie). */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { type CommandResult, runCommand } from './command.ts'
import type { TestDaemon } from './daemon.ts'

export class ComposeProject implements AsyncDisposable {
  readonly directory: string
  readonly #daemon: TestDaemon
  #version: string | undefined

  /** Writes the files, `docker-compose.yml` among them, into a directory whose name is the project's. */
  constructor(daemon: TestDaemon, files: Readonly<Record<string, string>>) {
    this.#daemon = daemon
    this.directory = mkdtempSync('/tmp/bcompose')
    for (const [path, text] of Object.entries(files)) this.write(path, text)
  }

  /** Begins the names of all that belongs to the project, in lower case as compose has it. */
  get name(): string {
    return basename(this.directory)
      .toLowerCase()
      .replaceAll(/[^-_a-z0-9]/g, '')
  }

  write(path: string, text: string): void {
    const target = join(this.directory, path)
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, text)
  }

  /** The name of one of a service's containers. */
  async container(service: string, index = 1): Promise<string> {
    this.#version ??= await this.ok('version', '--short')
    return [this.name, service, index].join(/^v?1\./.test(this.#version) ? '_' : '-')
  }

  run(...args: string[]): Promise<CommandResult> {
    const env = { DOCKER_HOST: this.#daemon.host, COMPOSE_HTTP_TIMEOUT: '60' }
    return runCommand('docker-compose', args, { cwd: this.directory, env, timeoutMs: 90_000 })
  }

  /** Runs a command, which must succeed; gives its standard output without the last newline. */
  async ok(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(...args)
    if (code !== 0) throw new Error(`docker-compose ${args.join(' ')}: ${code}\n${stdout}${stderr}`)
    return stdout.replace(/\n$/, '')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.run('down', '-v', '-t', '0', '--remove-orphans')
    rmSync(this.directory, { recursive: true, force: true })
  }
}
