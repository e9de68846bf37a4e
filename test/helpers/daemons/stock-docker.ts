/** Debian's dockerd on temporary roots, without a network unless it gets its own. Berth must read its images and
 *  archives, and work next to it. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type CommandOptions, type CommandResult, RunningCommand, runCommand } from '../command.ts'
import { until } from '../wait.ts'
import { clientProgram, mountsBelow } from './daemon.ts'

/** dockerd starts containerd, which takes a moment on a busy machine. */
const startLimitMs = 40_000

export class StockDocker implements AsyncDisposable {
  readonly root: string
  readonly #process: RunningCommand

  private constructor(root: string, process: RunningCommand) {
    this.root = root
    this.#process = process
  }

  /** Starts one; with `await using` it ends with the test. With `netns`, its bridge and rules are in that namespace. */
  static async start({ netns }: { readonly netns?: string } = {}): Promise<StockDocker> {
    const root = mkdtempSync('/tmp/b-sd-')
    for (const name of ['d', 'x']) mkdirSync(join(root, name))
    writeFileSync(join(root, 'daemon.json'), '{}')
    const roots = ['--data-root', join(root, 'd'), '--exec-root', join(root, 'x'), '--pidfile', join(root, 'pid')]
    const flags = ['--host', `unix://${root}/s`, '--config-file', join(root, 'daemon.json'), '--log-level', 'error']
    const noNetwork = ['--bridge=none', '--iptables=false', '--ip6tables=false', '--ip-forward=false']
    const command = ['dockerd', ...roots, ...flags, ...(netns === undefined ? noNetwork : [])]
    const [file = '', ...args] = netns === undefined ? command : ['nsenter', `--net=${netns}`, ...command]
    const docker = new StockDocker(root, new RunningCommand(file, args))
    try {
      await until(async () => (await docker.docker(['version'])).code === 0, {
        timeoutMs: startLimitMs,
        what: () => `dockerd to serve; it said:\n${docker.#process.stderr.slice(-2000)}`,
      })
    } catch (error) {
      await docker[Symbol.asyncDispose]()
      throw error
    }
    return docker
  }

  get host(): string {
    return `unix://${this.root}/s`
  }

  /** Runs the docker CLI against it, by default with the classic builder. */
  docker(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    const env = { DOCKER_BUILDKIT: '0', ...options.env }
    return runCommand(clientProgram, ['-H', this.host, ...args], { timeoutMs: 60_000, ...options, env })
  }

  /** Runs the docker CLI, which must succeed; returns its standard output without the last newline. */
  async ok(args: readonly string[], options?: CommandOptions): Promise<string> {
    const { code, stdout, stderr } = await this.docker(args, options)
    if (code !== 0) throw new Error(`stock docker ${args.join(' ')}: exit code ${code}\n${stdout}${stderr}`)
    return stdout.replace(/\n$/, '')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGTERM')
    const stuck = setTimeout(() => this.#process.kill('SIGKILL'), 20_000)
    await this.#process.ended
    clearTimeout(stuck)
    await this.#endContainerd()
    for (const mount of mountsBelow(this.root).reverse()) await runCommand('umount', ['-l', mount])
    rmSync(this.root, { recursive: true, force: true })
  }

  /** A killed dockerd leaves its containerd running. */
  async #endContainerd(): Promise<void> {
    try {
      const pid = Number(readFileSync(join(this.root, 'x/containerd/containerd.pid'), 'utf8'))
      if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(this.root)) process.kill(pid, 'SIGKILL')
    } catch {
      // It ended with dockerd.
    }
  }
}
