/** The engines under test: each has its own temporary roots and cell, and all are driven by the same official
 *  CLI. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { findProgram } from '../test/helpers/command.ts'
import { Cell } from './cell.ts'

const startLimitMs = 30_000
const commandLimitMs = 120_000

/** How to start an engine, and which of its processes are daemons. */
export interface EngineKind {
  /** `berth`, `before` (another version of Berth), `docker` or `podman`. */
  readonly name: string
  readonly program: string
  /** Of a Berth: the directory of its checkout. */
  readonly checkout?: string
  /** The name of a process that the program runs permanently besides itself. */
  readonly helper?: string
  /** `root` is a directory for the engine's files. */
  command(root: string, socket: string): { readonly args: readonly string[]; readonly env?: NodeJS.ProcessEnv }
  /** The fastest client for builds that the engine has. */
  builder(root: string, socket: string): Builder
}

/** A client for builds. */
interface Builder {
  readonly command: readonly string[]
  readonly env?: NodeJS.ProcessEnv
  /** True if it is the engine itself and runs in its namespaces. */
  readonly isInCell?: boolean
}

/** Debian's CLI, a version with a built-in BuildKit client. Later ones need a plugin. */
const buildkitClient = '/usr/bin/docker'

/** A Berth, run from a checkout. */
export function berthFrom(checkout: string, name: string): EngineKind {
  return {
    name,
    checkout,
    program: join(checkout, 'bin/berthd'),
    command: (root, socket) => ({
      args: [...roots(root), '--host', `unix://${socket}`, '--config-file', emptyConfig(root), ...pidfile(root)],
    }),
    builder: (_, socket) => ({ command: [join(checkout, 'bin/berth'), '-H', `unix://${socket}`] }),
  }
}

/** The engines that can be measured: this Berth and its peers. */
export const engineKinds: readonly EngineKind[] = [
  berthFrom(join(import.meta.dirname, '..'), 'berth'),
  {
    name: 'docker',
    program: 'dockerd',
    helper: 'containerd',
    command: (root, socket) => ({
      args: [...roots(root), '--host', `unix://${socket}`, '--config-file', emptyConfig(root), ...pidfile(root)],
    }),
    builder: (_, socket) => ({
      command: [buildkitClient, '-H', `unix://${socket}`],
      env: { DOCKER_BUILDKIT: '1' },
    }),
  },
  {
    name: 'podman',
    program: 'podman',
    command: (root, socket) => ({
      args: [...podmanFlags(root), 'system', 'service', '--time=0', `unix://${socket}`],
      env: podmanFiles(root),
    }),
    builder: (root) => ({ command: ['podman', ...podmanFlags(root)], env: podmanFiles(root), isInCell: true }),
  },
]

function podmanFlags(root: string): string[] {
  const places = ['--root', join(root, 'd'), '--runroot', join(root, 'x'), '--tmpdir', join(root, 't')]
  return [...places, '--cgroup-manager=cgroupfs', '--runtime=crun']
}

function roots(root: string): string[] {
  return ['--data-root', join(root, 'd'), '--exec-root', join(root, 'x')]
}

function pidfile(root: string): string[] {
  return ['--pidfile', join(root, 'pid')]
}

function emptyConfig(root: string): string {
  const path = join(root, 'daemon.json')
  writeFileSync(path, '{}')
  return path
}

/** Limits that a machine without CAP_SYS_RESOURCE allows, and plain HTTP for the registry on loopback. */
function podmanFiles(root: string): NodeJS.ProcessEnv {
  const config = join(root, 'containers.conf')
  const registries = join(root, 'registries.conf')
  writeFileSync(
    config,
    `[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]\n[network]\nnetwork_backend = "${podmanNetworks()}"\nnetwork_config_dir = "${root}/net"\n`,
  )
  writeFileSync(registries, '[[registry]]\nlocation = "127.0.0.1:5000"\ninsecure = true\n')
  return { CONTAINERS_CONF: config, CONTAINERS_REGISTRIES_CONF: registries }
}

/** The network backend. Debian's podman recommends one, and falls back to the other. */
function podmanNetworks(): string {
  return existsSync('/usr/lib/podman/netavark') ? 'netavark' : 'cni'
}

/** A running engine. */
export class Engine {
  readonly kind: EngineKind
  readonly version: string
  readonly #root: string
  readonly #socket: string
  readonly #cell: Cell
  readonly #agent = new Agent({ keepAlive: true })

  private constructor(kind: EngineKind, root: string, socket: string, cell: Cell, version: string) {
    this.kind = kind
    this.#root = root
    this.#socket = socket
    this.#cell = cell
    this.version = version
  }

  /** Starts an engine with new roots. Undefined when it is not installed. */
  static async start(kind: EngineKind): Promise<Engine | undefined> {
    if (!kind.program.startsWith('/') && findProgram(kind.program) === undefined) return undefined
    const root = mkdtempSync('/tmp/bb-')
    const socket = join(root, 's')
    for (const name of ['d', 'x', 't', 'net']) mkdirSync(join(root, name))
    const { args, env } = kind.command(root, socket)
    const log = join(root, 'log')
    const cell = await Cell.start([kind.program, ...args], {
      stateDirectory: join(root, 'x'),
      logPath: log,
      ...(env === undefined ? {} : { env }),
    })
    const engine = new Engine(kind, root, socket, cell, '')
    try {
      const version = await engine.#waitForVersion()
      return new Engine(kind, root, socket, cell, version)
    } catch (error) {
      const said = readFileSync(log, 'utf8').slice(-2000)
      await engine.stop()
      throw new Error(`${kind.name} does not start:\n${said}`, { cause: error })
    }
  }

  get name(): string {
    return this.kind.name
  }

  /** Runs the official CLI, drops its output, and gives the time in ms. Throws when it fails. */
  async docker(args: readonly string[], { mayFail = false } = {}): Promise<number> {
    try {
      return await runTimed(['docker', '-H', `unix://${this.#socket}`, ...args], { mayFail })
    } catch (error) {
      const log = readFileSync(join(this.#root, 'log'), 'utf8').trimEnd().split('\n').slice(-10)
      throw new Error(`${this.name} failed; the end of its log:\n${log.join('\n')}`, { cause: error })
    }
  }

  /** Builds with the engine's own client (docker: BuildKit's), drops its output, and gives the time in ms. */
  async build(args: readonly string[]): Promise<number> {
    const { command, env, isInCell = false } = this.kind.builder(this.#root, this.#socket)
    const place = isInCell ? await this.#cell.entrance() : []
    return await runTimed([...place, ...command, 'build', ...args], { env })
  }

  /** Makes one request of the API. Gives the body as text; throws for a status of 400 or more. */
  api(method: string, path: string, body?: unknown): Promise<string> {
    const text = body === undefined ? '' : JSON.stringify(body)
    const headers = { Host: 'd', 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) }
    return new Promise((resolve, reject) => {
      const outgoing = request(
        { socketPath: this.#socket, agent: this.#agent, method, path: `/v1.41${path}`, headers },
        (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('error', reject)
          response.on('end', () => {
            const answer = Buffer.concat(chunks).toString()
            if ((response.statusCode ?? 500) < 400) resolve(answer)
            else reject(new Error(`${this.name}: ${method} ${path}: ${response.statusCode} ${answer}`))
          })
        },
      )
      outgoing.on('error', reject)
      outgoing.end(text)
    })
  }

  /** The pids of the daemons, without the processes of single containers. */
  async daemonPids(): Promise<number[]> {
    const { helper } = this.kind
    return [await this.#cell.programPid(), ...(helper === undefined ? [] : this.#cell.pidsOf(helper))]
  }

  /** Starts another program in the engine's network. */
  join(command: readonly string[]): ReturnType<Cell['join']> {
    return this.#cell.join(command)
  }

  /** Removes all containers. */
  async removeAllContainers(): Promise<void> {
    const all = JSON.parse(await this.api('GET', '/containers/json?all=1')) as { Id: string }[]
    for (const { Id } of all) await this.api('DELETE', `/containers/${Id}?force=1&v=1`)
  }

  /** Ends the containers and the engine, and removes its roots. */
  async stop(): Promise<void> {
    await this.removeAllContainers().catch(() => {})
    this.#agent.destroy()
    await this.#cell.stop()
    removeCgroups(join(this.#root, 'd'))
    rmSync(this.#root, { recursive: true, force: true, maxRetries: 3, retryDelay: 300 })
  }

  async #waitForVersion(): Promise<string> {
    for (const deadline = Date.now() + startLimitMs; ; await sleep(50)) {
      try {
        return (JSON.parse(await this.api('GET', '/version')) as { Version: string }).Version
      } catch (error) {
        if (Date.now() > deadline) throw error
      }
    }
  }
}

/** Removes the control groups that engines leave behind. rmdir refuses a group in use by another daemon. */
function removeCgroups(dataRoot: string): void {
  const berth = `berth-${createHash('sha256').update(dataRoot).digest('hex').slice(0, 6)}`
  for (const name of [berth, 'docker', 'libpod_parent', 'machine.slice']) {
    const groups = globSync([`/sys/fs/cgroup/*/${name}/**/`, `/sys/fs/cgroup/${name}/**/`])
    for (const path of groups.sort().reverse()) tryRemoveDirectory(path)
  }
}

function tryRemoveDirectory(path: string): void {
  try {
    rmdirSync(path)
  } catch {
    // It is in use, or gone.
  }
}

/** Runs a program to its end, and gives the time in ms. */
export function runTimed(
  [program = '', ...args]: readonly string[],
  { mayFail = false, env }: { readonly mayFail?: boolean; readonly env?: NodeJS.ProcessEnv | undefined } = {},
): Promise<number> {
  return new Promise((resolve, reject) => {
    const began = performance.now()
    const child = spawn(program, args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      ...(env === undefined ? {} : { env: { ...process.env, ...env } }),
      timeout: commandLimitMs,
      killSignal: 'SIGKILL',
    })
    let ms = 0
    let stderr = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    child.once('error', reject)
    child.once('exit', () => {
      ms = performance.now() - began
    })
    child.once('close', (code, signal) => {
      if (code === 0 || mayFail) resolve(ms)
      else reject(new Error(`${[program, ...args].join(' ')}: ${signal ?? code}\n${stderr}`))
    })
  })
}
