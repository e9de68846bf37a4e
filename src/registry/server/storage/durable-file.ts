/** Files that survive power loss: what is written reaches the disk before its name does, and the name before the
 *  caller hears of it. */
import { link, mkdir, open, rename, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { errnoOf, newId } from '../../../base/index.ts'

/** Each time somebody else must have removed the folder within microseconds. */
const maxAttempts = 100

/** Writes a small file so that it is there completely or not at all. `temporary` is a folder of the same file system.
 *  False (nothing written) when `ifAbsent` was asked for and there is one. */
export async function writeDurable(
  path: string,
  bytes: Uint8Array,
  { temporary, ifAbsent = false }: { readonly temporary: string; readonly ifAbsent?: boolean | undefined },
): Promise<boolean> {
  const draft = join(temporary, newId())
  try {
    const file = await open(draft, 'wx', 0o600)
    try {
      await file.writeFile(bytes)
      await file.datasync()
    } finally {
      await file.close()
    }
    return ifAbsent ? await linkInto(draft, path) : await renameInto(draft, path)
  } finally {
    await removeFile(draft)
  }
}

/** Renames a file that is on the disk already, makes the folders on the way and syncs them. */
export async function renameInto(from: string, to: string): Promise<true> {
  await retryWithoutFolder(to, () => rename(from, to))
  await syncFolder(dirname(to))
  return true
}

/** Makes a second name; false when that name is taken. */
async function linkInto(from: string, to: string): Promise<boolean> {
  try {
    await retryWithoutFolder(to, () => link(from, to))
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false
    throw error
  }
  await syncFolder(dirname(to))
  return true
}

/** Folders are removed when their last object goes: one may vanish just after it was made, and even while it is. */
async function retryWithoutFolder(path: string, work: () => Promise<void>): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      if (attempt > 0) await makeFolder(dirname(path))
      await work()
      return
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT' || attempt === maxAttempts) throw error
    }
  }
}

/** Makes a folder and those above it, each name on the disk before the next one. */
export async function makeFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o700 })
  if (first === undefined) return
  for (let folder = path; folder.length >= first.length; folder = dirname(folder)) await syncFolder(dirname(folder))
}

/** Puts a folder's entries on the disk. */
export async function syncFolder(path: string): Promise<void> {
  let folder: Awaited<ReturnType<typeof open>>
  try {
    folder = await open(path, 'r')
  } catch (error) {
    // Its last entry was deleted meanwhile by somebody else, and it with it.
    if (errnoOf(error) === 'ENOENT') return
    throw error
  }
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** Removes a file; true when there was one. */
export async function removeFile(path: string): Promise<boolean> {
  try {
    await unlink(path)
    return true
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false
    throw error
  }
}
