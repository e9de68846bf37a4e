/** commit: makes a new image whose top layer is a container's changes. The container's lock is held, so that it is
 *  neither removed nor started meanwhile; a running container is frozen unless the caller declines. If the daemon is
 *  killed midway, the next boot thaws the container and removes the unfinished layer. */

import type { ContainerConfig } from '../../api/index.ts'
import { conflict } from '../../base/index.ts'
import type { CommitOptions } from '../../contract/index.ts'
import { applyChanges } from '../../images/index.ts'
import type { Digest, OciRuntimeDefaults } from '../../oci/index.ts'
import { mergeConfig } from '../create/merge-config.ts'
import { type ContainerRecord, snapshotKey } from '../record/container-record.ts'
import type { ContainerContext, Uses } from '../record/dependencies.ts'
import { publishContainer } from '../record/events.ts'
import { holdStill } from '../run/hold-still.ts'
import { layerChanges } from './changes.ts'

/** Commits a running or stopped container, and gives the new image's id. Throws `notFound` for an unknown container or
 *  a missing image, `conflict` for a container that is being removed, and `invalidArgument` for malformed names and
 *  changes. */
export async function commitContainer(
  context: ContainerContext,
  idOrName: string,
  options: CommitOptions,
): Promise<Digest> {
  const { id } = context.containers.get(idOrName)
  return await context.locks.run(id, async () => {
    const record = context.containers.get(id)
    checkState(record)
    const config = imageDefaults(configOf(record, options))
    if (!options.pause || record.state.status !== 'running') return await commitLocked(context, record, options, config)
    return await holdStill(context, record, () => commitLocked(context, record, options, config))
  })
}

async function commitLocked(
  context: Uses<'containers' | 'images' | 'snapshots' | 'mounts' | 'events' | 'paths'>,
  record: ContainerRecord,
  options: CommitOptions,
  config: OciRuntimeDefaults,
): Promise<Digest> {
  const { snapshots, images, events } = context
  const key = snapshotKey(record.id)
  const [{ unchanged }, { sizeBytes, inodes }] = [await layerChanges(context, record.id), await snapshots.usage(key)]
  const { id: imageId, reference } = await images.commit({
    parent: record.image.id as Digest,
    directory: snapshots.directory(key),
    leaveOut: unchanged,
    // Adds a tar header for each file.
    sizeBytes: sizeBytes + inodes * 1024,
    config,
    author: options.author,
    comment: options.comment,
    createdBy: (record.config.Cmd ?? []).join(' '),
    repository: options.repository,
    tag: options.tag,
  })
  if (reference !== '') events.publish('image', 'tag', imageId, { ...config.Labels, name: reference })
  publishContainer(events, record, 'commit', { comment: options.comment, imageID: imageId, imageRef: reference })
  return imageId
}

function checkState({ id, state }: ContainerRecord): void {
  if (state.status === 'dead') throw conflict(`You cannot commit container ${id} which is Dead`)
  if (state.status === 'removing') throw conflict(`You cannot commit container ${id} which is being removed`)
}

function configOf({ config }: ContainerRecord, options: CommitOptions): ContainerConfig {
  const own = options.config ?? config
  const edited = applyChanges(imageDefaults(own), options.changes)
  return mergeConfig({ ...own, ...edited }, imageDefaults(config))
}

const imageFields = [
  'User',
  'ExposedPorts',
  'Env',
  'Cmd',
  'Healthcheck',
  'ArgsEscaped',
  'Volumes',
  'WorkingDir',
  'Entrypoint',
  'OnBuild',
  'Labels',
  'StopSignal',
  'Shell',
] as const satisfies readonly (keyof OciRuntimeDefaults)[]

/** The part of a container's configuration that an image has; fields that were never set are omitted. */
function imageDefaults(config: ContainerConfig): OciRuntimeDefaults {
  const set = imageFields.map((name) => [name, config[name]] as const)
  return Object.fromEntries(set.filter(([, value]) => value !== undefined && value !== null && value !== ''))
}
