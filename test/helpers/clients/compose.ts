/** docker-compose with its own project: version 2 of Debian 13 if `test/runner/cli-plugins` could unpack it, otherwise the
 *  machine's (on Debian 12, version 1.29). */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { type CommandOptions, type CommandResult, RunningCommand, runCommand } from '../command.ts'
import type { TestDaemon } from '../daemons/daemon.ts'
import { findCliPlugin } from './cli-plugins.ts'

const plugin = findCliPlugin('docker-compose')
const program = plugin ?? 'docker-compose'
/** For `test(…, { skip })` of features that only version 2 has. */
export const noComposeV2 = plugin === undefined ? 'no docker-compose 2 (test/runner/cli-plugins)' : false

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

  /** The prefix of the names of everything in the project, in lower case as in compose. */
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
    return [this.name, service, index].join((await this.isVersion1()) ? '_' : '-')
  }

  async isVersion1(): Promise<boolean> {
    this.#version ??= await this.ok('version', '--short')
    return /^v?1\./.test(this.#version)
  }

  run(...args: string[]): Promise<CommandResult> {
    return runCommand(program, args, { ...this.#options, timeoutMs: 90_000 })
  }

  /** Starts a command that keeps running. */
  spawn(...args: string[]): RunningCommand {
    return new RunningCommand(program, args, this.#options)
  }

  get #options(): CommandOptions {
    const env = { DOCKER_HOST: this.#daemon.host, COMPOSE_HTTP_TIMEOUT: '60' }
    return { cwd: this.directory, env }
  }

  /** Runs a command, which must succeed; returns its standard output without the last newline. */
  async ok(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(...args)
    if (code !== 0) throw new Error(`docker-compose ${args.join(' ')}: ${code}\n${stdout}${stderr}`)
    // Version 2 erases lines as on a terminal, even with --no-color.
    return stdout.replaceAll('\x1b[2K', '').replace(/\n$/, '')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.run('down', '-v', '-t', '0', '--remove-orphans')
    rmSync(this.directory, { recursive: true, force: true })
  }
}
