/** Which users of the host can enter the data and exec roots. Below them are containers' environments, the files of
 *  volumes, and setuid programs that a container's root user made, so only root can enter. There are two exceptions:
 *  with `userns-remap` the root user of containers passes through to its files, and the members of a socket's group
 *  pass through to a socket that was put below a root.
 *  Each boot gives the roots their modes again: an older version may have left them open, or a crash half done. */
import { chmodSync, readdirSync, realpathSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { StoreProblem } from '../../api/index.ts'
import { errnoOf } from '../../base/index.ts'
import type { UserRemap } from '../../config/index.ts'
import { closeDatabaseFiles } from '../../store/index.ts'
import { closeFile, makePrivateDirectory } from '../../sys/index.ts'
import { pathsOf, type Roots } from './root-locks.ts'

/** Directories that the engine keeps in its roots, and files with content that only root may read. */
const directoryNames = ['build', 'containers', 'content', 'snapshots', 'volumes', 'c', 'exits', 'netns'] as const
const databaseName = 'berth.db'
const databaseNames = [databaseName, `${databaseName}-wal`, `${databaseName}-shm`, `${databaseName}-spare`]
const fileNames = [...databaseNames, 'engine-id', 'lock'] as const

/** Bits of a mode, inode(7). */
const groupBits = 0o070
const othersBits = 0o077
const searchByGroup = 0o010
const searchByOthers = 0o001

/** The rights of the roots of one engine. */
export class RootAccess {
  readonly #roots: readonly string[]
  readonly #group: number | undefined
  /** Roots that are open for a socket below them. */
  readonly #opened = new Map<string, Allowed>()

  private constructor(roots: readonly string[], group: number | undefined) {
    this.#roots = roots
    this.#group = group
  }

  /** Makes the roots, closes them to other users, and closes what an older version left open in them. The parts of the
   *  engine close their own directories when they open. The roots must be locked, see `takeLocks`. */
  static close(roots: readonly Roots[], remap: UserRemap | undefined): RootAccess {
    const paths = pathsOf(roots)
    const group = remap?.root.gid
    // From the outside in: once a root is closed, what is below it can't be reached meanwhile.
    for (const path of paths) makePrivateDirectory(path, group)
    for (const path of paths) {
      closeDatabaseFiles(join(path, databaseName))
      for (const name of fileNames) closeFile(join(path, name))
      for (const name of directoryNames) closeLeftover(join(path, name))
      for (const file of configsIn(path)) closeFile(file)
    }
    return new RootAccess(paths, group)
  }

  /** Lets the members of group `gid` pass through the roots that are on the way to a socket. Nothing changes for a
   *  socket elsewhere, or one that belongs to root's group. */
  openTo(socketPath: string, gid: number): void {
    if (gid === 0) return
    const directory = realpathSync(dirname(socketPath))
    for (const root of this.#roots) {
      if (!`${directory}/`.startsWith(`${realpathSync(root)}/`)) continue
      if (this.#group === undefined) {
        makePrivateDirectory(root, gid)
        this.#opened.set(root, { bits: searchByGroup, gid })
      } else {
        // The one group of a directory is that of the mapping here, so all users may pass, to directories that are
        // closed.
        chmodSync(root, 0o711)
        this.#opened.set(root, { bits: searchByGroup | searchByOthers, gid: this.#group })
      }
    }
  }

  /** Paths that let other users in, for `system check`. */
  problems(): readonly StoreProblem[] {
    const problems: StoreProblem[] = []
    const look = (path: string, allowed: Allowed) => {
      const message = faultOf(path, allowed)
      if (message !== undefined) problems.push({ Kind: 'path', Name: path, Message: message })
    }
    const passing: Allowed = { bits: this.#group === undefined ? 0 : searchByGroup, gid: this.#group }
    for (const root of this.#roots) {
      look(root, this.#opened.get(root) ?? passing)
      for (const name of directoryNames) look(join(root, name), passing)
      for (const name of fileNames) look(join(root, name), nothing)
      for (const file of configsIn(root)) look(file, nothing)
    }
    return problems
  }
}

/** Rights that others than the owner may have. */
interface Allowed {
  /** Bits of the mode. */
  readonly bits: number
  /** The group that the rights of the group are for. */
  readonly gid: number | undefined
}

const nothing: Allowed = { bits: 0, gid: undefined }

function faultOf(path: string, { bits, gid }: Allowed): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats === undefined) return undefined
  if (stats.uid !== process.geteuid?.()) return `it belongs to user ${stats.uid} of the host instead of root`
  const given = stats.mode & othersBits
  if ((given & ~bits) === 0 && ((given & groupBits) === 0 || stats.gid === gid)) return undefined
  const mode = (stats.mode & 0o7777).toString(8).padStart(4, '0')
  return `its mode ${mode} (group ${stats.gid}) lets other users of the host in; a restart of the daemon closes it`
}

/** Closes a directory of an engine that does not run any more, and one that its part of the engine is about to open. */
function closeLeftover(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) makePrivateDirectory(path)
}

/** The configurations of containers that run, which have their environment. */
function configsIn(root: string): readonly string[] {
  const bundles = join(root, 'c')
  try {
    return readdirSync(bundles).map((id) => join(bundles, id, 'config.json'))
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []
    throw error
  }
}
