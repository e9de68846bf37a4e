/** Replaces the content of a directory, so that a crash leaves either the old content or the new one. The directory
 *  itself stays, because it is mounted in containers. A work directory on the same file system holds the intermediate
 *  states:
 *
 *    <work>/new        the new content is being written; worthless until it is complete
 *    <work>/ready      the new content is complete; the old content is being moved out, to <work>/old
 *    <work>/entering   the old content is out; the new one is being moved in
 */
import { existsSync, mkdirSync, renameSync, rmdirSync, statSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { TimeSlice } from '../../base/index.ts'
import { copyAttributes } from './copy-tree.ts'

/** Makes an empty directory for the new content and returns its path. Removes what an earlier attempt left there. */
export async function beginReplacement(work: string): Promise<string> {
  await rm(work, { recursive: true, force: true })
  const place = join(work, 'new')
  mkdirSync(place, { recursive: true, mode: 0o700 })
  return place
}

/** Replaces the content of a directory by the new content, which must be complete. Until the promise resolves, readers
 *  see the old content, the new one, or parts of either. The old content stays in the work directory; the caller
 *  deletes it. If the old content can't be moved, it throws and has changed nothing. */
export async function commitReplacement(content: string, work: string): Promise<void> {
  const [fresh, ready, old] = [join(work, 'new'), join(work, 'ready'), join(work, 'old')]
  renameSync(fresh, ready)
  try {
    await finishReplacement(content, work)
  } catch (error) {
    // If some of the old content can't be moved, because it is a mount point, all of it moves back.
    if (existsSync(ready)) {
      if (existsSync(old)) await moveAll(old, content)
      renameSync(ready, fresh)
    }
    throw error
  }
}

/** Completes a replacement that was committed before a crash. False when none was: then the work directory is
 *  worthless. */
export async function finishReplacement(content: string, work: string): Promise<boolean> {
  const [ready, entering, old] = ['ready', 'entering', 'old'].map((name) => join(work, name)) as [
    string,
    string,
    string,
  ]
  if (existsSync(ready)) {
    mkdirSync(old, { recursive: true, mode: 0o700 })
    await moveAll(content, old, dirname(work) === content ? basename(work) : undefined)
    renameSync(ready, entering)
  }
  if (!existsSync(entering)) return false
  const own = statSync(entering, { bigint: true })
  await moveAll(entering, content)
  copyAttributes(entering, content, own)
  rmdirSync(entering)
  return true
}

/** Moves the content of a directory, except for one name, to another directory of the same file system. */
export async function moveAll(from: string, to: string, except?: string): Promise<void> {
  const slice = new TimeSlice()
  for (const name of await readdir(from, { encoding: 'buffer' })) {
    if (name.toString() === except) continue
    renameSync(pathOf(from, name), pathOf(to, name))
    if (slice.isOver) await slice.renew()
  }
}

/** The path of a name that may not be valid UTF-8. */
export function pathOf(directory: string, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${directory}/`), name])
}
