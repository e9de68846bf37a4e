/** A cell isolates one engine in its own namespaces for network, mounts and processes. Bridges, packet filter rules,
 *  mounts and processes that an engine leaves behind end with its cell. No engine sees those of another. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

const endLimitMs = 15_000

/** The first process in a cell must adopt orphans, which engines do not do. A shell that waits does. */
const firstProcess = 'ip link set lo up; mount -t tmpfs -o mode=755 tmpfs "$0"; "$@" & wait $!'

/** A cell and the program in it. */
export class Cell {
  readonly #holder: ChildProcess
  readonly #ended: Promise<void>

  private constructor(holder: ChildProcess) {
    this.#holder = holder
    this.#ended = new Promise((resolve) => holder.once('exit', () => resolve()))
  }

  /** Runs a program in a new cell, with its output in a file. In the cell, `stateDirectory` is in memory, like /run
   *  on a machine with systemd. */
  static async start(
    command: readonly string[],
    { stateDirectory, logPath, env = {} }: { stateDirectory: string; logPath: string; env?: NodeJS.ProcessEnv },
  ): Promise<Cell> {
    const log = openSync(logPath, 'a')
    const holder = spawn(
      // The cell ends with the bench, even if that is killed.
      'setpriv',
      ['--pdeathsig', 'KILL', ...unshare, 'sh', '-c', firstProcess, stateDirectory, ...command],
      { stdio: ['ignore', log, log], env: { ...process.env, ...env } },
    )
    closeSync(log)
    return new Cell(holder)
  }

  /** The program's pid on the host. Waits until the program runs. */
  async programPid(): Promise<number> {
    for (let waitedMs = 0; waitedMs < 5000; waitedMs += 10) {
      const [shell] = childrenOf(this.#holder.pid ?? -1)
      const program =
        shell === undefined
          ? undefined
          : childrenOf(shell).find((pid) => !['ip', 'mount', 'sh'].includes(commandOf(pid) ?? ''))
      if (program !== undefined) return program
      await sleep(10)
    }
    throw new Error('the engine did not start')
  }

  /** The pids on the host of all processes with this command name. */
  pidsOf(name: string): number[] {
    const [shell] = childrenOf(this.#holder.pid ?? -1)
    if (shell === undefined) return []
    const inside = readlinkSync(`/proc/${shell}/ns/pid`)
    return readdirSync('/proc')
      .map(Number)
      .filter((pid) => pid > 0 && commandOf(pid) === name && namespaceOf(pid) === inside)
  }

  /** Starts another program in the cell's network. */
  async join(command: readonly string[]): Promise<ChildProcess> {
    const pid = await this.programPid()
    return spawn('nsenter', ['--net', '--target', String(pid), 'setpriv', '--pdeathsig', 'KILL', ...command], {
      stdio: 'ignore',
    })
  }

  /** The words that precede a command to run it in all of the cell's namespaces. */
  async entrance(): Promise<readonly string[]> {
    return ['nsenter', '--net', '--mount', '--pid', '--target', String(await this.programPid())]
  }

  /** Asks the program to end, then kills what is left. */
  async stop(): Promise<void> {
    if (this.#holder.exitCode !== null || this.#holder.signalCode !== null) return
    try {
      process.kill(await this.programPid(), 'SIGTERM')
    } catch {
      // It has already ended.
    }
    const timer = setTimeout(() => this.#holder.kill('SIGKILL'), endLimitMs)
    await this.#ended
    clearTimeout(timer)
  }
}

const unshare = ['unshare', '--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc']

function childrenOf(pid: number): number[] {
  return (read(`/proc/${pid}/task/${pid}/children`) ?? '')
    .split(' ')
    .flatMap((word) => (word === '' ? [] : [Number(word)]))
}

function commandOf(pid: number): string | undefined {
  return read(`/proc/${pid}/comm`)?.trim()
}

function namespaceOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`)
  } catch {
    return undefined
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined // It has ended meanwhile.
  }
}
