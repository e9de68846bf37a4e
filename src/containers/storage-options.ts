/** `--storage-opt`: a size for the writable layer, which takes quotas of projects in the file system below it. */
import type { HostConfig } from '../api/index.ts'
import { invalidArgument, notImplemented } from '../base/index.ts'
import { listMounts } from '../sys/index.ts'

/** Throws for every option: `invalidArgument` in Docker's words where the file system of `dataRoot` has no such quotas
 *  or the option does not exist, `notImplemented` where it has. */
export function checkStorageOptions({ StorageOpt: options }: HostConfig, dataRoot: string): void {
  for (const [name, value] of Object.entries(options ?? {})) {
    if (name !== 'size') throw invalidArgument(`Unknown option ${name}`)
    if (!/^\d+(\.\d+)?\s*([kmgtp]?(i?b)?)?$/i.test(value)) throw invalidArgument(`invalid size: '${value}'`)
    if (!hasProjectQuotas(dataRoot)) {
      throw invalidArgument("--storage-opt is supported only for overlay over xfs with 'pquota' mount option")
    }
    throw notImplemented(`HostConfig.StorageOpt ${name} is not implemented in this version of Berth`)
  }
}

function hasProjectQuotas(path: string): boolean {
  const holder = listMounts()
    .filter(({ mountPoint }) => mountPoint === '/' || path === mountPoint || path.startsWith(`${mountPoint}/`))
    .reduce((best, mount) => (mount.mountPoint.length >= best.mountPoint.length ? mount : best))
  return holder.superOptions.some((option) => option === 'prjquota' || option === 'pquota')
}
