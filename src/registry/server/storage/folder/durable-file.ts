/** Files that survive power loss: what is written reaches the disk before its name does, and the name, with those of
 *  new folders, before the caller hears of it. */
import { link, mkdir, open, rename, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { errnoOf, newId } from '../../../../base/index.ts'

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
      // Of an empty file there is only the name.
      if (bytes.length > 0) await file.datasync()
    } finally {
      await file.close()
    }
    return ifAbsent ? await linkInto(draft, path) : await renameInto(draft, path)
  } finally {
    await removeFile(draft)
  }
}

/** Renames a file that is on the disk already; makes the folders on the way. */
export async function renameInto(from: string, to: string): Promise<true> {
  await giveName(to, () => rename(from, to))
  return true
}

/** Makes a second name; false when that name is taken. */
async function linkInto(from: string, to: string): Promise<boolean> {
  try {
    await giveName(to, () => link(from, to))
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false
    throw error
  }
  return true
}

/** Has `work` make the name `path`, and puts it on the disk. Folders are removed when their last object goes: one may
 *  vanish just after it was made, and even while it is. */
async function giveName(path: string, work: () => Promise<void>): Promise<void> {
  const folder = dirname(path)
  const changed = new Set([folder])
  for (let attempt = 0; ; attempt++) {
    try {
      if (attempt > 0) for (const parent of await makeFolders(folder)) changed.add(parent)
      await work()
      break
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT' || attempt === maxAttempts) throw error
    }
  }
  // Side by side: a file system with a journal writes them in one go.
  await Promise.all([...changed].map(syncFolder))
}

/** Makes a folder and those above it, and puts their names on the disk. */
export async function makeFolder(path: string): Promise<void> {
  await Promise.all((await makeFolders(path)).map(syncFolder))
}

/** Makes a folder and those above it; gives the folders that have a new entry by that. */
async function makeFolders(path: string): Promise<readonly string[]> {
  const first = await mkdir(path, { recursive: true, mode: 0o700 })
  const changed: string[] = []
  if (first === undefined) return changed
  for (let folder = path; folder.length >= first.length; folder = dirname(folder)) changed.push(dirname(folder))
  return changed
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
