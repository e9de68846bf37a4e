/** Files that survive power loss. The bytes are on the disk before the file gets its name. The name, and the names of
 *  new folders, are on the disk before a call resolves. */
import { link, mkdir, open, rename, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { errnoOf, newId } from '../../../../base/index.ts'

/** An attempt fails only if another process removed the new folder within microseconds. */
const maxAttempts = 100

/** Writes a small file, completely or not at all. `temporary` is a folder on the same file system. False, with nothing
 *  written, if `ifAbsent` is set and the file exists. */
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
      // An empty file has no bytes to write to the disk.
      if (bytes.length > 0) await file.datasync()
    } finally {
      await file.close()
    }
    return ifAbsent ? await linkInto(draft, path) : await renameInto(draft, path)
  } finally {
    await removeFile(draft)
  }
}

/** Renames a file that is already on the disk. Makes missing folders. */
export async function renameInto(from: string, to: string): Promise<true> {
  await giveName(to, () => rename(from, to))
  return true
}

/** Gives a file a second name; false if the name exists. */
async function linkInto(from: string, to: string): Promise<boolean> {
  try {
    await giveName(to, () => link(from, to))
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false
    throw error
  }
  return true
}

/** Lets `work` make the name `path`, and writes it to the disk. Other processes remove folders that have become empty,
 *  so a folder may vanish just after it was made, or while it is being made. */
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
  // In parallel, because a file system with a journal writes them together.
  await Promise.all([...changed].map(syncFolder))
}

/** Makes a folder and its parents, and writes their names to the disk. */
export async function makeFolder(path: string): Promise<void> {
  await Promise.all((await makeFolders(path)).map(syncFolder))
}

/** Makes a folder and its parents. Gives the folders that got a new entry. */
async function makeFolders(path: string): Promise<readonly string[]> {
  const first = await mkdir(path, { recursive: true, mode: 0o700 })
  const changed: string[] = []
  if (first === undefined) return changed
  for (let folder = path; folder.length >= first.length; folder = dirname(folder)) changed.push(dirname(folder))
  return changed
}

/** Writes a folder's entries to the disk. */
export async function syncFolder(path: string): Promise<void> {
  let folder: Awaited<ReturnType<typeof open>>
  try {
    folder = await open(path, 'r')
  } catch (error) {
    // Another process deleted the folder's last entry and then the folder.
    if (errnoOf(error) === 'ENOENT') return
    throw error
  }
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** Removes a file; false if there was none. */
export async function removeFile(path: string): Promise<boolean> {
  try {
    await unlink(path)
    return true
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false
    throw error
  }
}
