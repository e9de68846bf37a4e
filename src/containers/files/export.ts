/** export: the container's whole file system as a tar stream, as `docker import` reads it. */
import { packDirectory } from '../../archive/index.ts'
import { type AbortOptions, conflict } from '../../base/index.ts'
import { mappingsOf } from '../isolation/user-namespaces.ts'
import type { Uses } from '../record/dependencies.ts'
import { publishContainer } from '../record/events.ts'
import { viewContainer } from '../rootfs/view.ts'

/** The stream of a container that runs or not; it was found, and its files are held, when this resolves. What is
 *  mounted inside it (volumes, binds) is left out. Throws `conflict` for one that is being removed. */
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
    // Its files went while they were read: no half is to be taken for a whole.
    if (context.containers.find(record.id) === undefined) throw conflict(`container ${record.id} was removed`)
    publishContainer(context.events, record, 'export')
  }
  return pack()
}
