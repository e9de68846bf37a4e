/** Starts `berthd` when the command line finds none listening. The daemon gets its own session, so that it outlives the
 *  terminal. Waits until its socket accepts connections. */
import { spawn, spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** A start takes long on a busy machine, or when images must be verified after a crash. A failed start is noticed at
 *  once. */
const startLimitMs = 60_000

/** Resolves when a daemon listens on `socketPath`. Throws, with the end of its log, when it does not start. */
export async function startDaemonInBackground(root: string, socketPath: string): Promise<void> {
  if (process.getuid?.() !== 0) {
    throw new Error(
      `no daemon listens on ${socketPath}; start one as root: sudo berthd (or run this command with sudo)`,
    )
  }
  const setup = spawnSync('sh', [join(root, 'bin/setup')], { stdio: ['ignore', 'ignore', 'inherit'] })
  if (setup.status !== 0) throw new Error('the daemon cannot be set up (see above)')
  const logPath = process.env.BERTHD_LOG ?? '/var/log/berthd.log'
  mkdirSync(dirname(logPath), { recursive: true, mode: 0o755 })
  const log = openSync(logPath, 'a', 0o640)
  const daemon = spawn(join(root, 'bin/berthd'), ['--host', `unix://${socketPath}`], {
    cwd: '/',
    detached: true,
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  let ended: string | undefined
  daemon.once('error', (error) => {
    ended = error.message
  })
  daemon.once('exit', (code, signal) => {
    ended = `it ended with ${signal ?? `exit code ${code}`}`
  })
  const deadline = Date.now() + startLimitMs
  while (!(await listens(socketPath))) {
    if (ended !== undefined) throw new Error(`berthd did not start: ${ended}\n${lastLines(logPath)}`)
    if (Date.now() > deadline) throw new Error(`berthd does not answer on ${socketPath}; its log is ${logPath}`)
    await sleep(10)
  }
  daemon.unref()
}

function listens(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath)
    socket.once('error', () => resolve(false))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
}

function lastLines(path: string): string {
  return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-5).join('\n')
}
