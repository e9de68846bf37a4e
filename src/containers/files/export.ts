/** export: a container's whole file system as a tar stream that `docker import` can read. */
import { packDirectory } from '../../archive/index.ts'
import { type AbortOptions, conflict } from '../../base/index.ts'
import { mappingsOf } from '../isolation/user-namespaces.ts'
import type { Uses } from '../record/dependencies.ts'
import { publishContainer } from '../record/events.ts'
import { viewContainer } from '../rootfs/view.ts'

/** The stream of a running or stopped container. When this resolves, the container is found and its files are held.
 *  Volumes and binds inside it are omitted. Throws `notFound`, and `conflict` for a container that is being removed. */
export async function exportContainer(
  context: Uses<'containers' | 'snapshots' | 'mounts' | 'events' | 'paths' | 'remap'>,
  idOrName: string,
  { signal }: AbortOptions = {},
): Promise<AsyncIterable<Buffer>> {
  const record = context.containers.get(idOrName)
  const { status } = record.state
  if (status === 'removing') {
    throw conflict(`You cannot export container ${record.id} which is being removed`)
  }
  if (status === 'dead') throw conflict(`You cannot export container ${record.id} which is Dead`)
  const view = await viewContainer(context, record)
  async function* pack(): AsyncGenerator<Buffer, void, undefined> {
    using files = view
    const mappings = mappingsOf(context, record.hostConfig)
    yield* packDirectory(files.path, { signal, mappings, typeInMode: true })
    // The files were removed while they were read. Fail, so that the client does not take a part for the whole.
    if (context.containers.find(record.id) === undefined) throw conflict(`container ${record.id} was removed`)
    publishContainer(context.events, record, 'export')
  }
  return pack()
}
