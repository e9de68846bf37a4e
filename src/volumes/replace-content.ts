/** The content of a directory is replaced by another one, so that a crash leaves the one or the other. The directory
 *  itself stays, for it is mounted in containers. What is on its way is in a work directory on the same file system:
 *
 *    <work>/new        is being written; without meaning until it is complete
 *    <work>/ready      complete; the old content is being moved out, to <work>/old
 *    <work>/entering   the old content is out; the new one is being moved in
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { copyAttributes } from './copy-tree.ts'

/** An empty directory for the new content. What an earlier attempt left there is gone. */
export function beginReplacement(work: string): string {
  rmSync(work, { recursive: true, force: true })
  const place = join(work, 'new')
  mkdirSync(place, { recursive: true, mode: 0o700 })
  return place
}

/** The new content is complete and takes the old one's place. Synchronous: whoever looks meanwhile sees the old one, the
 *  new one, or parts of either. The old one is left in the work directory, which the caller deletes. Throws when the old
 *  one can't be moved, and has changed nothing then. */
export function commitReplacement(content: string, work: string): void {
  const [ready, old] = [join(work, 'ready'), join(work, 'old')]
  renameSync(join(work, 'new'), ready)
  try {
    finishReplacement(content, work)
  } catch (error) {
    // Something of the old content can't be moved (it is mounted on): all of it comes back.
    if (existsSync(ready)) {
      if (existsSync(old)) moveAll(old, content)
      rmSync(ready, { recursive: true, force: true })
    }
    throw error
  }
}

/** Brings to its end what was committed before a crash. False when nothing was, and what is in the work directory is of
 *  no use. */
export function finishReplacement(content: string, work: string): boolean {
  const [ready, entering, old] = ['ready', 'entering', 'old'].map((name) => join(work, name)) as [
    string,
    string,
    string,
  ]
  if (existsSync(ready)) {
    mkdirSync(old, { recursive: true, mode: 0o700 })
    moveAll(content, old, dirname(work) === content ? basename(work) : undefined)
    renameSync(ready, entering)
  }
  if (!existsSync(entering)) return false
  const own = statSync(entering, { bigint: true })
  moveAll(entering, content)
  copyAttributes(entering, content, own)
  rmSync(entering, { recursive: true })
  return true
}

function moveAll(from: string, to: string, except?: string): void {
  for (const name of readdirSync(from, { encoding: 'buffer' })) {
    if (name.toString() === except) continue
    renameSync(pathOf(from, name), pathOf(to, name))
  }
}

/** Names need not be text. */
function pathOf(directory: string, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${directory}/`), name])
}
