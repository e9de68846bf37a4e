/** Prepares the path of a unix socket: removes a stale one, and sets who may connect. */
import { chown, lstat, mkdir, readFile, unlink } from 'node:fs/promises'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import { conflict, errnoOf, internal, invalidArgument } from '../../base/index.ts'

/** `sun_path` holds 108 bytes, including the final zero. */
const maxPathBytes = 107
/** Groups that may use the socket: the first of these that exists. */
const defaultGroups = ['docker', 'berth']

/** Frees the path for a new socket. Removes the socket of a dead process; throws when a living one answers. */
export async function clearSocketPath(path: string): Promise<void> {
  if (Buffer.byteLength(path) > maxPathBytes) {
    throw invalidArgument(`unix socket path is longer than ${maxPathBytes} bytes: ${path}`)
  }
  const stats = await lstat(path).catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  })
  if (stats === undefined) {
    await mkdir(dirname(path), { recursive: true })
    return
  }
  if (!stats.isSocket()) throw conflict(`${path} exists and is not a socket`)
  if (await isAnswered(path)) throw conflict(`another process listens on ${path}`)
  await unlink(path)
}

/** Gives the socket to `group`, or without one to the group `docker` or `berth`; if neither exists, it stays root's. */
export async function assignSocketGroup(path: string, group: string | undefined): Promise<void> {
  const gid = await findGroup(group === undefined ? defaultGroups : [group])
  if (gid === undefined) {
    if (group !== undefined) throw invalidArgument(`group ${group} not found`)
    return
  }
  await chown(path, -1, gid)
}

/** Runs `bind`, which must be synchronous, so that the socket it makes has mode 0660 from the beginning. */
export function withSocketMode<T>(bind: () => T): T {
  const previous = process.umask(0o117)
  try {
    return bind()
  } finally {
    process.umask(previous)
  }
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', (error) => {
      const code = errnoOf(error)
      if (code === 'ECONNREFUSED' || code === 'ENOENT') resolve(false)
      // The backlog is full: a slow server is there.
      else if (code === 'EAGAIN') resolve(true)
      else reject(internal(`could not examine ${path}: ${error.message}`, { cause: error }))
    })
  })
}

async function findGroup(names: readonly string[]): Promise<number | undefined> {
  const lines = (await readFile('/etc/group', 'utf8').catch(() => '')).split('\n').map((line) => line.split(':'))
  for (const name of names) {
    const gid = lines.find(([entry]) => entry === name)?.[2]
    if (gid !== undefined && /^\d+$/.test(gid)) return Number(gid)
    if (/^\d+$/.test(name)) return Number(name)
  }
  return undefined
}
