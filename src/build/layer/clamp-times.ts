import { lstatSync, lutimesSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { TimeSlice } from '../../base/index.ts'

/** Lowers modification times later than `latestNs` (nanoseconds since the epoch, whole seconds) to it, for a directory
 *  and everything below it. The tree must not be used by anything else meanwhile. */
export async function clampTimes(root: string, latestNs: bigint): Promise<void> {
  const seconds = Number(latestNs / 1_000_000_000n)
  const slice = new TimeSlice()
  for (const { path, mtimeNs } of walk(root)) {
    if (mtimeNs > latestNs) lutimesSync(path, seconds, seconds)
    if (slice.isOver) await slice.renew()
  }
}

/** Yields the contents of a directory before the directory itself. */
function* walk(path: string): Iterable<{ readonly path: string; readonly mtimeNs: bigint }> {
  const stats = lstatSync(path, { bigint: true })
  if (stats.isDirectory()) for (const name of readdirSync(path)) yield* walk(join(path, name))
  yield { path, mtimeNs: stats.mtimeNs }
}
