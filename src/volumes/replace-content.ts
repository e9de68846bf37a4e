/** The content of a directory is replaced by another one, so that a crash leaves the one or the other. The directory
 *  itself stays, for it is mounted in containers. What is on its way is in a work directory on the same file system:
 *
 *    <work>/new        is being written; without meaning until it is complete
 *    <work>/ready      complete; the old content is being moved out, to <work>/old
 *    <work>/entering   the old content is out; the new one is being moved in
 */
import { existsSync, mkdirSync, renameSync, rmdirSync, statSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { TimeSlice } from '../base/index.ts'
import { copyAttributes } from './copy-tree.ts'

/** An empty directory for the new content. What an earlier attempt left there is gone. */
export async function beginReplacement(work: string): Promise<string> {
  await rm(work, { recursive: true, force: true })
  const place = join(work, 'new')
  mkdirSync(place, { recursive: true, mode: 0o700 })
  return place
}

/** The new content is complete and takes the old one's place. Until the promise resolves, readers see the old content,
 *  the new one, or parts of either. The old one is left in the work directory, which the caller deletes. Throws when the
 *  old one can't be moved, and has changed nothing then. */
export async function commitReplacement(content: string, work: string): Promise<void> {
  const [fresh, ready, old] = [join(work, 'new'), join(work, 'ready'), join(work, 'old')]
  renameSync(fresh, ready)
  try {
    await finishReplacement(content, work)
  } catch (error) {
    // Something of the old content can't be moved (it is mounted on): all of it comes back.
    if (existsSync(ready)) {
      if (existsSync(old)) await moveAll(old, content)
      renameSync(ready, fresh)
    }
    throw error
  }
}

/** Brings to its end what was committed before a crash. False when nothing was, and what is in the work directory is of
 *  no use. */
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

/** Moves what is in a directory to another one of the same file system, but for one name. */
export async function moveAll(from: string, to: string, except?: string): Promise<void> {
  const slice = new TimeSlice()
  for (const name of await readdir(from, { encoding: 'buffer' })) {
    if (name.toString() === except) continue
    renameSync(pathOf(from, name), pathOf(to, name))
    if (slice.isOver) await slice.renew()
  }
}

/** Names need not be text. */
export function pathOf(directory: string, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${directory}/`), name])
}
