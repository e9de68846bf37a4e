import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** Size in bytes of all files below a directory. A file with several names counts once. */
export async function diskUsage(directory: string): Promise<number> {
  return await sizeOf(directory, new Set())
}

async function sizeOf(directory: string, seen: Set<string>): Promise<number> {
  let bytes = 0
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) {
      bytes += await sizeOf(path, seen)
      continue
    }
    const stats = await lstat(path)
    const key = `${stats.dev}:${stats.ino}`
    if (stats.nlink > 1 && seen.has(key)) continue
    seen.add(key)
    bytes += stats.size
  }
  return bytes
}
