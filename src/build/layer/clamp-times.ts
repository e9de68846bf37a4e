import { lstatSync, lutimesSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { TimeSlice } from '../../base/index.ts'

/** Makes a directory and everything below it at most as young as `latestNs` (nanoseconds since the epoch), in whole
 *  seconds. Nothing else may use the tree meanwhile. */
export async function clampTimes(root: string, latestNs: bigint): Promise<void> {
  const seconds = Number(latestNs / 1_000_000_000n)
  const slice = new TimeSlice()
  for (const { path, mtimeNs } of walk(root)) {
    if (mtimeNs > latestNs) lutimesSync(path, seconds, seconds)
    if (slice.isOver) await slice.renew()
  }
}

/** Everything in a directory comes before the directory itself. */
function* walk(path: string): Iterable<{ readonly path: string; readonly mtimeNs: bigint }> {
  const stats = lstatSync(path, { bigint: true })
  if (stats.isDirectory()) for (const name of readdirSync(path)) yield* walk(join(path, name))
  yield { path, mtimeNs: stats.mtimeNs }
}
