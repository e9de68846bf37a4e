/** Mount propagation of binds; mount_namespaces(7), "SHARED SUBTREES". */
import { invalidArgument } from '../../base/index.ts'
import { listMounts } from '../../sys/index.ts'

/** Throws `invalidArgument` if the mount that holds `source` does not propagate mounts in the way that `propagation`
 *  requires. */
export function checkPropagation(source: string, propagation: string): void {
  const wantsShared = propagation === 'shared' || propagation === 'rshared'
  if (!wantsShared && propagation !== 'slave' && propagation !== 'rslave') return
  const holder = listMounts()
    .filter(({ mountPoint }) => isWithin(source, mountPoint))
    .reduce((best, mount) => (mount.mountPoint.length >= best.mountPoint.length ? mount : best))
  const marks = holder.propagation
  if (marks.some((mark) => mark.startsWith('shared:'))) return
  if (!wantsShared && marks.some((mark) => mark.startsWith('master:'))) return
  const wanted = wantsShared ? 'a shared mount' : 'a shared or slave mount'
  throw invalidArgument(`path ${source} is mounted on ${holder.mountPoint} but it is not ${wanted}`)
}

function isWithin(path: string, directory: string): boolean {
  return directory === '/' || path === directory || path.startsWith(`${directory}/`)
}
