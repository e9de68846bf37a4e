/** A real berthd with temporary roots, and its clients: the official docker CLI, berth, and plain HTTP. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  existsSync,
  globSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { removeCgroup } from '../../runner/leaks.ts'
import { type CommandOptions, type CommandResult, findProgram, RunningCommand, runCommand } from '../command.ts'
import { writeBusyboxArchive } from '../images/test-image.ts'
import { TerminalCommand } from '../terminal.ts'
import { patience, until } from '../wait.ts'
import { type ApiResponse, type RequestBody, requestOverSocket } from './api.ts'

const project = join(import.meta.dirname, '../../..')

/** The official CLI, if it is on the PATH. */
export const dockerProgram = findProgram('docker')
/** Berth's CLI. */
export const berthProgram = join(project, 'bin/berth')
/** The client that tests of behavior use. */
export const clientProgram = dockerProgram ?? berthProgram
/** For `test(…, { skip })` of tests that need the official CLI. */
export const noDockerCli = dockerProgram === undefined ? 'no docker CLI on the PATH' : false

export interface DaemonOptions {
  /** More flags of berthd. */
  readonly flags?: readonly string[]
  /** More flags that name paths below its roots. */
  readonly flagsBelow?: (daemon: TestDaemon) => readonly string[]
  readonly env?: NodeJS.ProcessEnv
  /** The network namespace that it runs in; by default the machine's. */
  readonly netns?: string
  /** The file that the daemon sees as the host's /etc/resolv.conf. */
  readonly resolvConf?: string
  /** An existing directory in place of one below its own root. The caller removes it. */
  readonly dataRoot?: string
  /** The umask that the daemon inherits, in octal; by default that of the tests. */
  readonly umask?: string
  /** With `--userns-remap`: the first ids (`UID.GID`), which the daemon puts into the names of its roots. */
  readonly remappedTo?: string
}

/** One data root with a daemon that can be stopped, killed and started again. */
export class TestDaemon implements AsyncDisposable {
  readonly root: string
  readonly dataRoot: string
  readonly execRoot: string
  readonly socket: string
  readonly logPath: string
  readonly #options: DaemonOptions
  #process: ChildProcess | undefined
  /** The process is about to end, or the next one does not serve yet, so a request without an answer is expected. */
  #isAway = true

  private constructor(options: DaemonOptions) {
    this.root = mkdtempSync('/tmp/b-')
    // Users of its containers need to enter it.
    if (options.remappedTo !== undefined) chmodSync(this.root, 0o711)
    this.dataRoot = options.dataRoot ?? join(this.root, 'd')
    this.execRoot = join(this.root, 'x')
    this.socket = join(this.root, 's')
    this.logPath = join(this.root, 'log')
    this.#options = options
  }

  /** Starts a daemon on a new root. Dispose it with `after()` or `await using`. */
  static async start(options: DaemonOptions = {}): Promise<TestDaemon> {
    const daemon = new TestDaemon(options)
    try {
      await daemon.start()
    } catch (error) {
      await daemon[Symbol.asyncDispose]()
      throw error
    }
    return daemon
  }

  get host(): string {
    return `unix://${this.socket}`
  }

  get pid(): number {
    const pid = this.#process?.pid
    if (pid === undefined) throw new Error('the daemon does not run')
    return pid
  }

  /** The daemon's log so far. */
  get log(): string {
    return readFileSync(this.logPath, 'utf8')
  }

  get flags(): readonly string[] {
    const own = ['--data-root', this.dataRoot, '--exec-root', this.execRoot, '--host', this.host]
    const { flags = [], flagsBelow } = this.#options
    return [...own, '--config-file', join(this.root, 'daemon.json'), ...flags, ...(flagsBelow?.(this) ?? [])]
  }

  /** Starts the daemon again on the same root and waits until it accepts requests. */
  async start(): Promise<void> {
    const child = this.#spawn()
    await until(
      async () => {
        if (child.exitCode !== null || child.signalCode !== null) {
          throw new Error(`berthd ended with ${child.signalCode ?? child.exitCode}:\n${this.log}`)
        }
        return (await requestOverSocket(this.socket, 'GET', '/_ping').catch(() => undefined))?.status === 200
      },
      { timeoutMs: 60_000, what: () => `berthd to serve; its log:\n${this.log}` },
    )
    this.#isAway = false
  }

  /** Starts the daemon and kills it after a while, whether it accepts requests by then or not. */
  async startAndKill(afterMs: number): Promise<void> {
    this.#spawn()
    await sleep(afterMs)
    await this.kill9()
  }

  #spawn(): ChildProcess {
    if (!existsSync(join(this.root, 'daemon.json'))) writeFileSync(join(this.root, 'daemon.json'), '{}')
    const log = openSync(this.logPath, 'a')
    const { netns, resolvConf, umask } = this.#options
    const mounted = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'
    const hidden = ['unshare', '--mount', '--propagation', 'slave', 'sh', '-c', mounted, resolvConf ?? '']
    const masked = ['sh', '-c', 'umask "$0" && exec "$@"', umask ?? '']
    const command = [
      ...(resolvConf === undefined ? [] : hidden),
      ...(umask === undefined ? [] : masked),
      join(project, 'bin/berthd'),
      ...this.flags,
    ]
    // `ip netns exec` would need a name in /run/netns, and would also mount a new /sys.
    const [file = '', ...args] = netns === undefined ? command : ['nsenter', `--net=${netns}`, ...command]
    const child = spawn(file, args, {
      stdio: ['ignore', log, log],
      env: { ...process.env, ...this.#options.env },
    })
    closeSync(log)
    this.#process = child
    return child
  }

  /** Ends the daemon as `systemctl stop` does; containers keep running. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    const child = this.#process
    this.#isAway = true
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    child.kill(signal)
    const stuck = setTimeout(() => child.kill('SIGKILL'), 30_000 * patience)
    await ended
    clearTimeout(stuck)
    return child.exitCode
  }

  /** Kills the daemon with SIGKILL. */
  async kill9(): Promise<void> {
    await this.stop('SIGKILL')
  }

  async restart(): Promise<void> {
    await this.stop()
    await this.start()
  }

  /** Runs the client under test (the docker CLI if there is one, otherwise berth) against this daemon. */
  docker(args: readonly string[], options?: CommandOptions): Promise<CommandResult> {
    return runCommand(clientProgram, ['-H', this.host, ...args], options)
  }

  /** Runs Berth's CLI against this daemon. */
  berth(args: readonly string[], options?: CommandOptions): Promise<CommandResult> {
    return runCommand(berthProgram, ['-H', this.host, ...args], options)
  }

  /** Runs the client, which must succeed; returns its standard output without the last newline. */
  async ok(args: readonly string[], options?: CommandOptions): Promise<string> {
    const { code, signal, stdout, stderr } = await this.docker(args, options)
    if (code !== 0) throw new Error(`docker ${args.join(' ')}: ${signal ?? `exit code ${code}`}\n${stdout}${stderr}`)
    return stdout.replace(/\n$/, '')
  }

  /** Standard output of `docker run --rm OPTIONS busybox sh -c SCRIPT`, which must succeed. */
  inside(options: readonly string[], script: string): Promise<string> {
    return this.ok(['run', '--rm', ...options, 'busybox', 'sh', '-c', script])
  }

  /** Starts the client and leaves it running, with its input open. */
  spawnDocker(args: readonly string[], options?: CommandOptions): RunningCommand {
    return new RunningCommand(clientProgram, ['-H', this.host, ...args], options, true)
  }

  /** Starts the client on its own terminal. */
  terminal(
    args: readonly string[],
    size?: { rows: number; columns: number },
    program = clientProgram,
  ): TerminalCommand {
    return new TerminalCommand([program, '-H', this.host, ...args], size)
  }

  /** Sends one request of the Engine API. If no answer comes, the error says whether the daemon runs, with its log. */
  async api<T = unknown>(method: string, path: string, body?: RequestBody): Promise<ApiResponse<T>> {
    try {
      return await requestOverSocket<T>(this.socket, method, path, body)
    } catch (cause) {
      if (this.#isAway) throw cause
      const message = `${method} ${path}: ${String(cause)}; ${await this.#fate()}; its log ends:\n${this.log.slice(-3000)}`
      throw new Error(message, { cause })
    }
  }

  /** Whether the daemon runs, or how it ended. A process that has closed its connections may take a moment to end. */
  async #fate(): Promise<string> {
    const child = this.#process
    const isOver = () => child === undefined || child.exitCode !== null || child.signalCode !== null
    for (let tries = 0; tries < 50 && !isOver(); tries += 1) await sleep(20)
    if (!isOver()) return `berthd (${child?.pid}) still runs`
    return `berthd (${child?.pid}) ended with ${child?.signalCode ?? child?.exitCode}`
  }

  /** Loads a busybox image with `docker load`. */
  async loadBusybox(reference = 'busybox:latest'): Promise<void> {
    const archive = join(this.root, 'busybox.tar')
    await writeBusyboxArchive({ path: archive, reference })
    await this.ok(['load', '-q', '-i', archive])
    rmSync(archive)
  }

  /** The interface of the default bridge. */
  async bridgeInterface(): Promise<string> {
    const { body } = await this.api<{ Options: Record<string, string> }>('GET', '/networks/bridge')
    return body.Options['com.docker.network.bridge.name'] ?? ''
  }

  /** Removes every container and ends the daemon; then removes what a daemon leaves on purpose for
   *  the next one on its root (bridge, nftables table, cgroup), and the root. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#removeContainers()
    await this.stop()
    removeHostTraces(join(this.dataRoot, this.#options.remappedTo ?? ''))
    for (const mount of mountsBelow(this.root).reverse()) spawnSync('umount', ['-l', mount])
    rmSync(this.root, { recursive: true, force: true })
  }

  async #removeContainers(): Promise<void> {
    try {
      if (this.#process?.signalCode === 'SIGKILL') await this.start()
      const { body } = await this.api<{ Id: string }[]>('GET', '/containers/json?all=1')
      await Promise.all(body.map(({ Id }) => this.api('DELETE', `/containers/${Id}?force=1&v=1`)))
    } catch {
      // The test that broke the daemon has reported it; the leak check finds what is left.
    }
  }
}

/** Mount points at or below a directory, outer ones first. */
export function mountsBelow(directory: string): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((path) => path.startsWith(`${directory}/`))
}

/** The tag in the names of a daemon's objects on the host (src/network/record/paths.ts). */
export function networkTag(dataRoot: string): string {
  return createHash('sha256').update(dataRoot).digest('hex').slice(0, 5)
}

/** Removes what a daemon leaves on the host for the next one on its data root. */
export function removeHostTraces(dataRoot: string): void {
  removeNetwork(networkTag(dataRoot))
  removeCgroups(dataRoot)
}

function removeNetwork(tag: string): void {
  for (const link of readdirSync('/sys/class/net')) {
    const file = `/sys/class/net/${link}/ifalias`
    const alias = existsSync(file) ? readFileSync(file, 'utf8').trim() : ''
    const isOurs =
      link.startsWith(`bv${tag}`) ||
      link === `bh${tag}a` ||
      alias === `berth:${tag}` ||
      alias.startsWith(`berth:${tag}:`)
    if (isOurs) spawnSync('ip', ['link', 'del', link], { stdio: 'ignore' })
  }
  for (const family of ['ip', 'ip6', 'inet']) {
    spawnSync('nft', ['delete', 'table', family, `berth-${tag}`], { stdio: 'ignore' })
  }
  removeExemption(tag)
}

/** The chain that lets containers' packets pass another engine's FORWARD chain. */
function removeExemption(tag: string): void {
  const chain = `BERTH-${tag}`
  for (const [family, program] of [
    ['ip', 'iptables'],
    ['ip6', 'ip6tables'],
  ] as const) {
    if (spawnSync('nft', ['list', 'chain', family, 'filter', chain], { stdio: 'ignore' }).status !== 0) continue
    for (const args of [
      ['-D', 'FORWARD', '-j', chain],
      ['-F', chain],
      ['-X', chain],
    ]) {
      spawnSync(program, ['-w', ...args], { stdio: 'ignore' })
    }
  }
}

/** The daemon's own cgroup, which contains its containers' (src/config: `instance`). */
export function cgroupName(dataRoot: string): string {
  return `berth-${createHash('sha256').update(dataRoot).digest('hex').slice(0, 6)}`
}

function removeCgroups(dataRoot: string): void {
  const name = cgroupName(dataRoot)
  for (const path of globSync([`/sys/fs/cgroup/${name}`, `/sys/fs/cgroup/*/${name}`])) removeCgroup(path)
}
