/** `GET /containers/json` and `GET /containers/{id}/json`. */
import { lstatSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { ContainerInspect, ContainerSummary } from '../../api/index.ts'
import { isKind, zeroTime } from '../../base/index.ts'
import type { ListContainersOptions } from '../../contract/index.ts'
import { linkNames, shownLinks } from '../connections/links.ts'
import { appArmorProfileOf } from '../isolation/app-armor.ts'
import { type ContainerRecord, newestFirst, snapshotKey } from '../record/container-record.ts'
import type { Uses } from '../record/dependencies.ts'
import { membershipsOf, networkKey } from '../record/memberships.ts'
import { sharedNetworkTarget } from '../record/namespaces.ts'
import { isActive } from '../record/state.ts'
import { mountTable } from '../rootfs/rootfs.ts'
import { compileFilters, type FilterLookups, filtersImplyAll } from './list-filters.ts'
import { type NetworkIds, type ShownPaths, toInspect, toPorts, toSummary } from './summary.ts'

/** Containers for `ps`, newest first. Throws `invalidArgument` for a malformed filter. */
export async function listContainers(
  context: Uses<'containers' | 'images' | 'snapshots' | 'networks'>,
  options: ListContainersOptions,
): Promise<ContainerSummary[]> {
  const matches = compileFilters(options.filters, lookups(context))
  const limited = options.limit !== undefined && options.limit > 0
  const all = options.all || limited || filtersImplyAll(options.filters)
  const found = context.containers.all().filter((record) => (all || isRunning(record)) && matches(record))
  const records = newestFirst(found).slice(0, limited ? options.limit : undefined)
  const nowMs = Date.now()
  return Promise.all(
    records.map(async (record) => ({
      ...toSummary(record, context.networks.sandboxes.find(record.id), networkIds(context), nowMs),
      Names: [`/${record.name}`, ...linkNames(context, record)],
      Image: imageName(context, record),
      ...(options.size ? await sizes(context, record) : {}),
    })),
  )
}

/** The reference that the user gave, as long as it still names the container's image; the image's id otherwise. */
function imageName(context: Uses<'images'>, { image }: ContainerRecord): string {
  try {
    return context.images.resolve(image.reference).id === image.id ? image.reference : image.id
  } catch (error) {
    if (isKind(error, 'notFound') || isKind(error, 'invalidArgument')) return image.id
    throw error
  }
}

function isRunning(record: ContainerRecord): boolean {
  return isActive(record.state.status)
}

/** Gives the look-ups that filters need. */
export function lookups(context: Uses<'containers' | 'images' | 'networks'>): FilterLookups {
  return {
    container: (idOrName) => context.containers.get(idOrName),
    imageAndChildren(reference) {
      try {
        return context.images.withChildren(reference)
      } catch (error) {
        // A text that can't name an image has no children either.
        if (isKind(error, 'notFound') || isKind(error, 'invalidArgument')) return new Set()
        throw error
      }
    },
    ports: (record) => toPorts(record, context.networks.sandboxes.find(record.id)),
    networks: (record) =>
      membershipsOf(record).flatMap((membership) => {
        const key = networkKey(membership)
        return [membership.network, context.networks.find(key)?.id ?? key]
      }),
  }
}

/** Everything about one container. Throws `notFound`. */
export async function inspectContainer(
  context: Uses<'containers' | 'live' | 'images' | 'snapshots' | 'networks' | 'paths' | 'appArmor'>,
  idOrName: string,
  options: { readonly size: boolean },
): Promise<ContainerInspect> {
  const record = context.containers.get(idOrName)
  const execIds = [...context.live.of(record.id).execs.keys()]
  const shown = toInspect(
    record,
    context.networks.sandboxes.find(record.id),
    networkIds(context),
    await shownPaths(context, record),
    execIds,
    appArmorProfileOf(context, record.hostConfig),
  )
  const linked = { ...shown, HostConfig: { ...shown.HostConfig, Links: shownLinks(context, record) } }
  return options.size ? { ...linked, ...(await sizes(context, record)) } : linked
}

function networkIds(context: Uses<'networks'>): NetworkIds {
  return (name) => context.networks.find(name)?.id
}

/** The directories of the overlay, in the form of Docker's overlay2 driver. */
async function graphOf(
  context: Uses<'snapshots' | 'paths'>,
  { id }: ContainerRecord,
): Promise<Readonly<Record<string, string>>> {
  const upper = context.snapshots.directory(snapshotKey(id))
  // Read-only mounts change nothing in the snapshot; the writable layer is the first one in their list.
  const [mount] = await context.snapshots.mounts(snapshotKey(id), { readOnly: true })
  const layers = mount?.options.find((option) => option.startsWith('lowerdir='))?.slice('lowerdir='.length)
  const lower = (layers ?? '').split(':').slice(1)
  return {
    ...(lower.length === 0 ? {} : { LowerDir: lower.map((path) => join(mount?.cwd ?? '', path)).join(':') }),
    MergedDir: context.paths.rootfs(id),
    UpperDir: upper,
    WorkDir: join(dirname(upper), 'work'),
  }
}

async function shownPaths(
  context: Uses<'containers' | 'snapshots' | 'paths'>,
  record: ContainerRecord,
): Promise<ShownPaths> {
  const { paths } = context
  const target = sharedNetworkTarget(record.hostConfig.NetworkMode ?? '')
  const owner = target === undefined ? record.id : (findId(context, target) ?? record.id)
  const started = record.state.startedAt !== zeroTime
  return {
    log: started && record.hostConfig.LogConfig?.Type === 'json-file' ? paths.log(record.id) : '',
    hosts: started ? paths.hosts(owner) : '',
    hostname: started ? paths.hostname(owner) : '',
    resolvConf: started ? paths.resolvConf(owner) : '',
    graph: await graphOf(context, record),
  }
}

function findId(context: Uses<'containers'>, idOrName: string): string | undefined {
  try {
    return context.containers.get(idOrName).id
  } catch (error) {
    if (isKind(error, 'notFound')) return undefined
    throw error
  }
}

async function sizes(
  context: Uses<'images' | 'snapshots'>,
  record: ContainerRecord,
): Promise<{ readonly SizeRw: number; readonly SizeRootFs: number }> {
  const used = (await context.snapshots.usage(snapshotKey(record.id))).sizeBytes
  // Docker puts the `/etc/mtab` link below the container's layer, Berth puts it into the layer. So its size is
  // subtracted.
  const own = Math.max(0, used - mountTableBytes(context.snapshots.directory(snapshotKey(record.id))))
  let image = 0
  try {
    image = context.images.resolve(record.image.id).sizeBytes
  } catch (error) {
    if (!isKind(error, 'notFound')) throw error
  }
  return { SizeRw: own, SizeRootFs: own + image }
}

/** The size of the `/etc/mtab` link that the daemon made in a layer; 0 if the layer has something else there. */
function mountTableBytes(layer: string): number {
  const found = lstatSync(join(layer, mountTable.path), { throwIfNoEntry: false })
  return found?.isSymbolicLink() === true && found.size === mountTable.target.length ? found.size : 0
}
