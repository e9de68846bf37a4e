/** A cell for one engine: namespaces of its own for network, mounts and processes. Bridges, packet filter rules,
 *  mounts and left-over processes of an engine end with its cell, whatever happened, and no engine sees another's. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

const endLimitMs = 15_000

/** The first process must take in orphans, which engines don't do; a shell that waits does. */
const firstProcess = 'ip link set lo up; mount -t tmpfs -o mode=755 tmpfs "$0"; "$@" & wait $!'

export class Cell {
  readonly #holder: ChildProcess
  readonly #ended: Promise<void>

  private constructor(holder: ChildProcess) {
    this.#holder = holder
    this.#ended = new Promise((resolve) => holder.once('exit', () => resolve()))
  }

  /** Runs a program in a new cell; its output goes to a file. `stateDirectory` is in memory there, as /run is on
   *  any machine with systemd. */
  static async start(
    command: readonly string[],
    { stateDirectory, logPath, env = {} }: { stateDirectory: string; logPath: string; env?: NodeJS.ProcessEnv },
  ): Promise<Cell> {
    const log = openSync(logPath, 'a')
    const holder = spawn(
      // The cell ends with the bench, also when that is killed.
      'setpriv',
      ['--pdeathsig', 'KILL', ...unshare, 'sh', '-c', firstProcess, stateDirectory, ...command],
      { stdio: ['ignore', log, log], env: { ...process.env, ...env } },
    )
    closeSync(log)
    return new Cell(holder)
  }

  /** The program's own pid on the host. Waits until it is there. */
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

  /** Host pids of all processes whose command has this name. */
  pidsOf(name: string): number[] {
    const [shell] = childrenOf(this.#holder.pid ?? -1)
    if (shell === undefined) return []
    const inside = readlinkSync(`/proc/${shell}/ns/pid`)
    return readdirSync('/proc')
      .map(Number)
      .filter((pid) => pid > 0 && commandOf(pid) === name && namespaceOf(pid) === inside)
  }

  /** A program more in the cell's network. */
  async join(command: readonly string[]): Promise<ChildProcess> {
    const pid = await this.programPid()
    return spawn('nsenter', ['--net', '--target', String(pid), 'setpriv', '--pdeathsig', 'KILL', ...command], {
      stdio: 'ignore',
    })
  }

  /** What stands before a command that runs in all of the cell's namespaces. */
  async entrance(): Promise<readonly string[]> {
    return ['nsenter', '--net', '--mount', '--pid', '--target', String(await this.programPid())]
  }

  /** Asks the program to end, and ends all that is left. */
  async stop(): Promise<void> {
    if (this.#holder.exitCode !== null || this.#holder.signalCode !== null) return
    try {
      process.kill(await this.programPid(), 'SIGTERM')
    } catch {
      // it has just ended
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
    return undefined // ended meanwhile
  }
}
