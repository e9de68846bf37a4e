/** A lock for all daemons of the host: only one at a time chooses a bridge's name and address range. Otherwise two
 *  daemons could choose the same.
 *  The lock is an abstract socket. Like a bridge, it belongs to the network namespace. The kernel closes it when its
 *  holder dies, and children don't inherit it (libuv opens sockets with SOCK_CLOEXEC). A waiting daemon takes a
 *  numbered ticket, also a socket, and waits for the end of the socket before its own. So daemons get the lock in the
 *  order in which they came, without polling. A long wait is logged with the process that holds the lock. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { setImmediate as breathe } from 'node:timers/promises'
import { BerthError, errnoOf, type Logger } from '../../base/index.ts'

const defaultName = 'berth-network-setup'
const patienceMs = 60_000
/** A wait is first logged after this time, then again at this interval. */
const firstReportMs = 1000
const reportEveryMs = 5000

export interface HostLockOptions {
  readonly logger: Logger
  /** Name of another lock, for tests. */
  readonly name?: string
  readonly patienceMs?: number
}

/** Runs `work` while this daemon holds the lock. Rejects with `unavailable`, naming the holder's process, after a wait
 *  of more than a minute. */
export async function withHostLock<T>(work: () => T | Promise<T>, options: HostLockOptions): Promise<T> {
  using _lock = await acquire(options)
  return await work()
}

async function acquire(options: HostLockOptions): Promise<Held> {
  const { name = defaultName } = options
  // Daemons that are already waiting come first.
  const free = waiting(name).length === 0 ? await hold(name) : undefined
  if (free !== undefined) return free
  const number = `${name}-${String(process.hrtime.bigint()).padStart(20, '0')}-${process.pid}`
  using ticket = await hold(number)
  if (ticket === undefined) return acquire(options)
  // `await` keeps the ticket open until its turn.
  return await waitForTurn(name, number, options)
}

async function waitForTurn(name: string, number: string, options: HostLockOptions): Promise<Held> {
  const { logger, patienceMs: patience = patienceMs } = options
  const since = performance.now()
  let reportAt = firstReportMs
  for (;;) {
    const ahead = waiting(name).filter((other) => other < number)
    const lock = ahead.length === 0 ? await hold(name) : undefined
    if (lock !== undefined) return lock
    const waited = performance.now() - since
    if (waited > reportAt) {
      const fields = { seconds: Math.round(waited / 1000), holder: await holderOf(name), waiting: ahead.length }
      if (waited > patience) {
        throw new BerthError('unavailable', `another engine is setting up its network for too long: ${fields.holder}`)
      }
      logger.warn('waiting for another engine to set up its network', fields)
      reportAt = waited + reportEveryMs
    }
    await endOf(ahead.at(-1) ?? name, Math.max(1, Math.min(reportAt, patience) - waited + 1))
  }
}

/** A listening socket without a protocol. Waiting daemons connect to it and see its end. */
interface Held extends Disposable {}

/** Opens the socket of that name; undefined if another process has it. */
function hold(name: string): Promise<Held | undefined> {
  return new Promise((resolve, reject) => {
    const waiters = new Set<Socket>()
    const server = createServer((waiter) => {
      waiters.add(waiter.on('error', () => {}))
    })
    server.once('error', (error) => (errnoOf(error) === 'EADDRINUSE' ? resolve(undefined) : reject(error)))
    const end = (): void => {
      server.close()
      for (const waiter of waiters) waiter.destroy()
    }
    server.listen(`\0${name}`, () => resolve({ [Symbol.dispose]: end }))
  })
}

/** Waits until the socket of that name is closed or its process has ended, at most `limitMs`. */
function endOf(name: string, limitMs: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(`\0${name}`)
    const limit = setTimeout(() => socket.destroy(), limitMs)
    let pauseMs = 0
    // The socket is already closed, or its queue of connections is full.
    socket.on('error', () => {
      pauseMs = 5
    })
    socket.on('close', () => {
      clearTimeout(limit)
      setTimeout(resolve, pauseMs)
    })
    socket.resume()
  })
}

/** The tickets of all waiting daemons, the oldest first. */
function waiting(name: string): string[] {
  const numbers = listening().flatMap((socket) => (socket.name.startsWith(`${name}-`) ? [socket.name] : []))
  return numbers.sort()
}

interface ListeningSocket {
  readonly name: string
  readonly inode: string
}

/** Abstract sockets of this network namespace that listen. proc(5): Num RefCount Protocol Flags Type St Inode Path. */
function listening(): ListeningSocket[] {
  const acceptsConnections = '00010000'
  return readFileSync('/proc/self/net/unix', 'latin1')
    .split('\n')
    .flatMap((line) => {
      const [, , , flags, , , inode = '', path = ''] = line.trim().split(/\s+/)
      return flags === acceptsConnections && path.startsWith('@') ? [{ name: path.slice(1), inode }] : []
    })
}

/** The processes that have the lock's socket open, as text for the log. */
async function holderOf(name: string): Promise<string> {
  const inode = listening().find((socket) => socket.name === name)?.inode
  if (inode === undefined) return 'nobody any more'
  const found: string[] = []
  for (const pid of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    await breathe()
    if (hasOpen(pid, `socket:[${inode}]`)) found.push(`process ${pid} (${commandOf(pid)})`)
  }
  return found.length === 0 ? 'a process of another PID namespace' : found.join(', ')
}

function hasOpen(pid: string, target: string): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`) === target)
  } catch {
    // The process ended or closed a descriptor in the meantime.
    return false
  }
}

function commandOf(pid: string): string {
  try {
    const state = /^State:\s+(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? ''
    return `${readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      .replaceAll(/[\0\s]+/g, ' ')
      .trim()
      .slice(0, 200)}; ${state}`
  } catch {
    return 'ended'
  }
}
