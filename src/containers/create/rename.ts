/** `POST /containers/{id}/rename`. */
import { conflict, invalidArgument, isKind, messageOf } from '../../base/index.ts'
import { withChanges } from '../record/container-record.ts'
import type { Uses } from '../record/dependencies.ts'
import { publishContainer } from '../record/events.ts'
import { checkName, nameConflict } from './create.ts'

/** Renames a container. Throws `notFound`, `invalidArgument` for a bad name, and `conflict` if the name is taken. */
export async function renameContainer(
  context: Uses<'containers' | 'locks' | 'networks' | 'events'>,
  idOrName: string,
  newName: string,
): Promise<void> {
  const { id } = context.containers.get(idOrName)
  if (newName === '') throw invalidArgument('Neither old nor new names may be empty')
  const name = newNameOf(newName)
  // Waits for a start that is under way, because it writes the whole record when it is done.
  await context.locks.run(id, async () => renameLocked(context, id, name))
}

function renameLocked(context: Uses<'containers' | 'networks' | 'events'>, id: string, name: string): void {
  const record = context.containers.get(id)
  if (record.name === name) {
    throw invalidArgument('Renaming a container with the same name as its current name')
  }
  if (record.state.status === 'removing' || record.state.status === 'dead') {
    throw conflict('Container is marked for removal and cannot be renamed')
  }
  const renamed = withChanges(record, { name })
  try {
    context.containers.save(renamed)
  } catch (error) {
    throw isKind(error, 'conflict') ? nameConflict(context, name, 'Error when allocating new name: ') : error
  }
  context.networks.sandboxes.rename(id, name)
  publishContainer(context.events, renamed, 'rename', { oldName: `/${record.name}` })
}

function newNameOf(text: string): string {
  try {
    return checkName(text.startsWith('/') ? text : `/${text}`)
  } catch (cause) {
    throw invalidArgument(`Error when allocating new name: ${messageOf(cause)}`, { cause })
  }
}
