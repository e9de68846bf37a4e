/** What makes the control groups of containers, and below which one: `--exec-opt native.cgroupdriver`,
 *  `--cgroup-parent`. */
import { posix } from 'node:path'
import { invalidArgument } from '../base/index.ts'
import type { RawValues } from './options/parse-options.ts'

/** The control groups of containers. */
export interface CgroupsConfig {
  /** The parent of the daemon's own group: `/` or a path below it. */
  readonly cgroupParent: string
  /** The slice of containers without a parent, if systemd makes the groups. */
  readonly slice: string | undefined
}

/** Reads both options. A parent is a path or, if systemd is the driver, a slice. Throws `invalidArgument` for any other
 *  parent, and for unknown execution options. */
export function cgroupsConfig(raw: RawValues): CgroupsConfig {
  const parent = String(raw.cgroupParent ?? '')
  if (cgroupDriver(raw) === 'systemd') {
    if (parent === '' || parent.endsWith('.slice')) return { cgroupParent: '/', slice: parent || 'system.slice' }
    throw invalidArgument(`cgroup-parent: ${parent}: with the cgroup driver systemd it is a slice, "xxx.slice"`)
  }
  if (parent.endsWith('.slice')) {
    throw invalidArgument(
      `cgroup-parent: ${parent}: slices belong to systemd; use them with --exec-opt native.cgroupdriver=systemd`,
    )
  }
  if (parent.split('/').includes('..') || /[\0\n]/.test(parent))
    throw invalidArgument(`cgroup-parent: invalid path: ${parent}`)
  return { cgroupParent: posix.normalize(`/${parent}`), slice: undefined }
}

function cgroupDriver(raw: RawValues): 'cgroupfs' | 'systemd' {
  let driver: 'cgroupfs' | 'systemd' = 'cgroupfs'
  for (const option of (raw.execOpt ?? []) as readonly string[]) {
    const [, key, value] = /^([^=]*)=(.*)$/.exec(option) ?? []
    if (key === undefined) throw invalidArgument(`exec-opts: invalid option "${option}": expected KEY=VALUE`)
    if (key.toLowerCase() !== 'native.cgroupdriver') throw invalidArgument(`exec-opts: invalid option "${key}"`)
    if (value !== 'cgroupfs' && value !== 'systemd') {
      throw invalidArgument(`exec-opts: native.cgroupdriver=${value} is invalid: expected cgroupfs or systemd`)
    }
    driver = value
  }
  return driver
}
