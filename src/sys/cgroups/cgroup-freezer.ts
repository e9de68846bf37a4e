/** Freezes all processes of a control group, with the freezer of v1 or `cgroup.freeze` of v2.
 *  https://docs.kernel.org/admin-guide/cgroup-v1/freezer-subsystem.html, …/cgroup-v2.html */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { BerthError, errnoOf, notFound } from '../../base/index.ts'
import { type Cgroups, detectCgroups } from './cgroup.ts'

const patienceMs = 10_000
const intervalMs = 1

interface Freezer {
  readonly file: string
  readonly on: string
  readonly off: string
  isFrozen(): boolean
}

/** Freezes a group. Resolves when all its processes are frozen. Rejects with `notFound` when there is no such group,
 *  and with `unavailable` when the host has no freezer or the group is not frozen within 10 seconds; it is then
 *  thawed. */
export async function freezeCgroup(path: string, cgroups: Cgroups = detectCgroups()): Promise<void> {
  const freezer = freezerOf(path, cgroups)
  if (freezer === undefined) throw new BerthError('unavailable', 'the host has no freezer for control groups')
  if (!existsSync(freezer.file)) throw notFound(`no control group ${path}`)
  const deadline = Date.now() + patienceMs
  try {
    do {
      // v1 may stay at FREEZING until the state is written again.
      write(freezer, freezer.on)
      if (freezer.isFrozen()) return
      await sleep(intervalMs)
    } while (Date.now() < deadline)
    throw new BerthError('unavailable', `control group ${path} does not come to rest`)
  } catch (cause) {
    thawCgroup(path, cgroups)
    const isGone = ['ENOENT', 'ENODEV'].includes(errnoOf(cause) ?? '')
    throw isGone ? notFound(`no control group ${path}`, { cause }) : cause
  }
}

/** True when the group's freezing was requested; false when there is no such group. */
export function isCgroupFrozen(path: string, cgroups: Cgroups = detectCgroups()): boolean {
  const freezer = freezerOf(path, cgroups)
  if (freezer === undefined || !existsSync(freezer.file)) return false
  try {
    return readFileSync(freezer.file, 'utf8').trim() === freezer.on
  } catch (error) {
    const code = errnoOf(error)
    if (code === 'ENOENT' || code === 'ENODEV') return false
    throw error
  }
}

/** Lets the group's processes continue. No error when there is no such group, or when it is not frozen. */
export function thawCgroup(path: string, cgroups: Cgroups = detectCgroups()): void {
  const freezer = freezerOf(path, cgroups)
  if (freezer === undefined || !existsSync(freezer.file)) return
  try {
    write(freezer, freezer.off)
  } catch (error) {
    const code = errnoOf(error)
    if (code !== 'ENOENT' && code !== 'ENODEV') throw error
  }
}

function freezerOf(path: string, { hierarchies }: Cgroups): Freezer | undefined {
  const v1 = hierarchies.find(({ controllers }) => controllers.includes('freezer'))
  if (v1 !== undefined) {
    const file = join(v1.path, path, 'freezer.state')
    return { file, on: 'FROZEN', off: 'THAWED', isFrozen: () => readFileSync(file, 'utf8').trim() === 'FROZEN' }
  }
  const v2 = hierarchies.find(({ version }) => version === 2)
  if (v2 === undefined) return undefined
  const events = join(v2.path, path, 'cgroup.events')
  return {
    file: join(v2.path, path, 'cgroup.freeze'),
    on: '1',
    off: '0',
    isFrozen: () => /^frozen 1$/m.test(readFileSync(events, 'utf8')),
  }
}

/** Writes without creating the file, which is missing when the group is gone. */
function write({ file }: Freezer, text: string): void {
  writeFileSync(file, text, { flag: 'r+' })
}
