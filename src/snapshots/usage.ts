import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf, TimeSlice } from '../base/index.ts'
import type { SnapshotUsage } from './snapshotter.ts'

/** Counts the bytes and inodes of a tree. Directories count as 0 bytes. Files that disappear meanwhile are not
 *  counted. */
export async function measureUsage(root: string): Promise<SnapshotUsage> {
  const seen = new Set<bigint>()
  let sizeBytes = 0
  let inodes = 0
  const slice = new TimeSlice()
  const pending = [root]
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    if (slice.isOver) await slice.renew()
    const status = tolerate(() => lstatSync(path, { bigint: true }))
    if (status === undefined) continue
    if (status.isDirectory()) {
      inodes += 1
      for (const name of tolerate(() => readdirSync(path)) ?? []) pending.push(join(path, name))
      continue
    }
    if (status.nlink > 1n) {
      if (seen.has(status.ino)) continue
      seen.add(status.ino)
    }
    inodes += 1
    sizeBytes += Number(status.size)
  }
  return { sizeBytes, inodes }
}

function tolerate<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch (error) {
    const code = errnoOf(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
}
