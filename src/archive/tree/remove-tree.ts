import { constants, readdirSync } from 'node:fs'
import { decodeName } from '../../base/index.ts'
import { closeFd, openAt, statAt, unlinkAt } from '../../sys/index.ts'
import { isDirectory, toName } from './layer-tree.ts'

/** Removes a name of a directory with everything below it, one file per step. It enters directories only by descriptors
 *  that followed no symlink. Throws system errors. */
export function* removeTree(parent: number, name: string, isTree: boolean): Generator<void, void, void> {
  if (isTree) {
    const fd = openAt(parent, toName(name), constants.O_RDONLY | constants.O_DIRECTORY)
    try {
      for (const bytes of readdirSync(`/proc/self/fd/${fd}`, { encoding: 'buffer' })) {
        const child = decodeName(bytes)
        const status = statAt(fd, toName(child))
        if (status !== undefined) yield* removeTree(fd, child, isDirectory(status))
      }
    } finally {
      closeFd(fd)
    }
  }
  unlinkAt(parent, toName(name), isTree ? { directory: true } : {})
  yield
}
