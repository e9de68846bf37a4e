/** Preparing the path of a unix socket: who listens there already, who may connect. */
import { chown, lstat, mkdir, readFile, unlink } from 'node:fs/promises'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import { conflict, errnoOf, internal, invalidArgument } from '../../base/index.ts'

/** `sun_path` holds 108 bytes with its final zero. */
const maxPathBytes = 107
/** Groups that may use the socket, the first that exists. */
const defaultGroups = ['docker', 'berth']

/** Makes the path free for a new socket: removes one that a dead process left, refuses when a live one answers. */
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

/** Gives the socket to the group `docker`, or `berth`, or the one that was named; leaves it root's without one. */
export async function assignSocketGroup(path: string, group: string | undefined): Promise<void> {
  const gid = await findGroup(group === undefined ? defaultGroups : [group])
  if (gid === undefined) {
    if (group !== undefined) throw invalidArgument(`group ${group} not found`)
    return
  }
  await chown(path, -1, gid)
}

/** Runs `bind`, which must be synchronous, so that a socket it makes is born with mode 0660. */
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
      // A full backlog: somebody lives there, only slowly.
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
