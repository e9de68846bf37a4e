/** Changes of a running container's `/etc/hosts`. */
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import type { ContainerContext } from '../record/dependencies.ts'

/** Far more than the daemon ever writes. */
const maxBytes = 1024 * 1024

/** Changes the lines of a container's `/etc/hosts` while it runs. The file is written in place, because it is mounted
 *  as a single file. The container can make the file as large as it likes, so a file of more than 1 MiB is left
 *  unchanged, with a warning in the log. */
export function editHosts(
  { paths, logger }: Pick<ContainerContext, 'paths' | 'logger'>,
  id: string,
  edit: (lines: readonly string[]) => readonly string[],
): void {
  const path = paths.hosts(id)
  const sizeBytes = statSync(path).size
  if (sizeBytes > maxBytes) {
    logger.warn("a container's /etc/hosts is too large to be changed", { container: id, sizeBytes })
    return
  }
  writeFileSync(path, edit(readFileSync(path, 'utf8').split('\n')).join('\n'))
}
