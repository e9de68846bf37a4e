/** create: validates the request, resolves the image, prepares a writable layer and writes one row. It starts no
 *  process, makes no network, and mounts nothing unless an empty volume has to be filled. If the daemon is killed
 *  midway, a snapshot, directory or volume reference is left without a record; the next boot removes it. */

import { rmSync, writeFileSync } from 'node:fs'
import { hostname as osHostname } from 'node:os'
import { join } from 'node:path'
import type { ContainerConfig, ContainerCreateResponse, EndpointSettings, HostConfig } from '../../api/index.ts'
import {
  conflict,
  formatNs,
  invalidArgument,
  isKind,
  newId,
  nowNs,
  type Undo,
  undoOnFailure,
  zeroTime,
} from '../../base/index.ts'
import type { CreateContainerRequest } from '../../contract/index.ts'
import type { Image } from '../../images/index.ts'
import { type ContainerLabels, checkCgroupParent } from '../../runtime/index.ts'
import { cgroupFeatures, makePrivateDirectory } from '../../sys/index.ts'
import { requestedLinks } from '../connections/links.ts'
import { deprecatedOptions, securityWarnings } from '../isolation/security-options.ts'
import { allocateLabels } from '../isolation/selinux.ts'
import { checkUserNamespace, passingGroup } from '../isolation/user-namespaces.ts'
import type { ContainerMount, ContainerRecord } from '../record/container-record.ts'
import { snapshotKey } from '../record/container-record.ts'
import type { ContainerContext, Uses } from '../record/dependencies.ts'
import { publishContainer } from '../record/events.ts'
import type { ContainerLink } from '../record/link-index.ts'
import { requestedNetworks } from '../record/memberships.ts'
import { namePattern, randomName } from '../record/names.ts'
import { sharedNetworkTarget } from '../record/namespaces.ts'
import { planMounts } from '../rootfs/mount-plan.ts'
import { prepareVolumes } from '../rootfs/volume-mounts.ts'
import { inheritedMounts } from '../rootfs/volumes-from.ts'
import { completeHostConfig } from './host-settings.ts'
import { withoutUnsupportedLimits } from './kernel-limits.ts'
import { commandOf, mergeConfig } from './merge-config.ts'
import { layerSizeOf } from './storage-options.ts'
import { checkSysctls } from './sysctls.ts'
import { validateRequest } from './validate.ts'
import { createWarnings } from './warnings.ts'

/** Creates a container. Throws `notFound` if the image is unknown, `conflict` if the name is taken, and
 *  `invalidArgument` for everything else that is wrong with the request. */
export function createContainer(
  context: ContainerContext,
  request: CreateContainerRequest,
): Promise<ContainerCreateResponse> {
  return undoOnFailure(context.logger, (undo) => create(context, request, undo))
}

async function create(
  context: ContainerContext,
  request: CreateContainerRequest,
  undo: Undo,
): Promise<ContainerCreateResponse> {
  // Most clients start the container at once.
  context.cgroups.expectMove()
  const { containers } = context
  const name = chooseName(context, request.name)
  const reference = request.config.Image ?? ''
  if (reference === '') throw invalidArgument('no image specified')
  const image = context.images.resolve(reference, request.platform)
  const config = mergeConfig(request.config, image.config.config)
  const complete = completeHostConfig(context, request.hostConfig)
  validateRequest(config, complete, context.host, request.config)
  checkCgroupParent(context.settings, complete.CgroupParent)
  checkUserNamespace(context, complete)
  const sizeBytes = layerSizeOf(complete, context.settings)
  checkSysctls(complete)
  const unheeded = securityWarnings(complete, {
    appArmor: context.appArmor !== undefined,
    selinux: context.labels !== undefined,
  })
  for (const option of deprecatedOptions(request.hostConfig.SecurityOpt ?? [])) {
    context.logger.warn('security options with `:` as a separator are deprecated, use `=` instead', { option })
  }
  const { hostConfig, warnings } = withoutUnsupportedLimits(complete, cgroupFeatures())
  const links = requestedLinks(context, hostConfig)
  const networks = requestedNetworks(config, hostConfig, request.networkingConfig ?? {}, context.networks)
  const { path, args } = commandOf(config)
  const planned = planMounts(config, hostConfig, inheritedMounts(context.containers, hostConfig.VolumesFrom ?? []))

  const id = newId()
  const labels = allocateLabels(context, hostConfig)
  undo.add(() => context.labels?.release(labels?.process ?? ''))
  await context.snapshots.prepare(snapshotKey(id), image.chainId, { sizeBytes })
  undo.add(() => context.snapshots.remove(snapshotKey(id)))
  // Programs test for this file to find out whether they run in a container.
  writeFileSync(join(context.snapshots.directory(snapshotKey(id)), '.dockerenv'), '', { mode: 0o755 })
  makePrivateDirectory(context.paths.home(id), passingGroup(context))
  undo.add(() => rmSync(context.paths.home(id), { recursive: true, force: true }))
  undo.add(() => context.volumes.release(id, { removeAnonymous: true }))
  const mounts = planned.length === 0 ? [] : await prepareVolumes(context, id, hostConfig, planned)
  const hostname = hostnameOf(context, config, hostConfig, id)
  const record = newRecord({
    id,
    name,
    reference,
    image,
    config,
    hostConfig,
    hostname,
    request,
    networks,
    links,
    labels,
    mounts,
    path,
    args,
  })
  try {
    containers.insert(record)
  } catch (error) {
    throw containers.findByName(name) === undefined ? error : nameConflict(context, name)
  }
  undo.add(() => containers.delete(id))
  publishContainer(context.events, record, 'create')
  return { Id: id, Warnings: [...warnings, ...unheeded, ...createWarnings(hostConfig)] }
}

interface NewRecord {
  readonly id: string
  readonly name: string
  readonly reference: string
  readonly image: Image
  readonly config: ContainerConfig
  readonly hostConfig: HostConfig
  readonly hostname: string
  readonly request: CreateContainerRequest
  readonly networks: Readonly<Record<string, EndpointSettings>>
  readonly links: readonly ContainerLink[]
  readonly labels: ContainerLabels | undefined
  readonly mounts: readonly ContainerMount[]
  readonly path: string
  readonly args: readonly string[]
}

function newRecord(from: NewRecord): ContainerRecord {
  return Object.freeze({
    version: 1,
    id: from.id,
    name: from.name,
    created: formatNs(nowNs()),
    image: {
      id: from.image.id,
      reference: from.reference,
      chainId: from.image.chainId ?? '',
      manifest: from.image.manifest,
    },
    path: from.path,
    args: from.args,
    config: completeConfig(from.config, from.hostname),
    // Inspect shows links from `links` instead.
    hostConfig: { ...from.hostConfig, Links: null },
    networkingConfig: from.request.networkingConfig ?? {},
    networks: from.networks,
    ...(from.links.length === 0 ? {} : { links: from.links }),
    mounts: from.mounts,
    ...(from.labels === undefined ? {} : { labels: from.labels }),
    state: Object.freeze({
      status: 'created',
      pid: 0,
      exitCode: 0,
      error: '',
      oomKilled: false,
      startedAt: zeroTime,
      finishedAt: zeroTime,
    }),
    restartCount: 0,
    stoppedByUser: false,
  } satisfies ContainerRecord)
}

function chooseName(context: Uses<'containers'>, wanted: string | undefined): string {
  if (wanted === undefined || wanted === '') {
    return randomName((name) => context.containers.findByName(name) !== undefined)
  }
  const name = checkName(wanted)
  if (context.containers.findByName(name) !== undefined) throw nameConflict(context, name)
  return name
}

/** Gives the name without its slash. Throws `invalidArgument` in Docker's words. */
export function checkName(wanted: string): string {
  const name = wanted.startsWith('/') ? wanted.slice(1) : wanted
  if (!namePattern.test(name)) {
    throw invalidArgument(
      `Invalid container name (${wanted}), only ${namePattern.source.slice(1, -1).replace(']+', ']')} are allowed`,
    )
  }
  return name
}

/** The error that Docker answers for a name that is in use. */
export function nameConflict(context: Uses<'containers'>, name: string, prefix = ''): Error {
  const holder = context.containers.findByName(name)
  return conflict(
    `${prefix}Conflict. The container name "/${name}" is already in use by container "${holder?.id ?? ''}". You have to remove (or rename) that container to be able to reuse that name.`,
  )
}

/** The hostname of the container: its own, or that of the container or host whose network it shares. */
function hostnameOf(context: Uses<'containers'>, config: ContainerConfig, hostConfig: HostConfig, id: string): string {
  if (config.Hostname) return config.Hostname
  const target = sharedNetworkTarget(hostConfig.NetworkMode ?? '')
  if (target !== undefined) return sharedHostname(context, target) ?? id.slice(0, 12)
  if (hostConfig.UTSMode === 'host') return ''
  return hostConfig.NetworkMode === 'host' ? osHostname() : id.slice(0, 12)
}

/** A missing target fails the start, not the create. */
function sharedHostname(context: Uses<'containers'>, target: string): string | undefined {
  try {
    return context.containers.get(target).config.Hostname ?? ''
  } catch (error) {
    if (isKind(error, 'notFound')) return undefined
    throw error
  }
}

function completeConfig(config: ContainerConfig, hostname: string): ContainerConfig {
  return {
    ...config,
    Hostname: hostname,
    Domainname: config.Domainname ?? '',
    AttachStdin: config.AttachStdin ?? false,
    AttachStdout: config.AttachStdout ?? false,
    AttachStderr: config.AttachStderr ?? false,
    Tty: config.Tty ?? false,
    OpenStdin: config.OpenStdin ?? false,
    StdinOnce: config.StdinOnce ?? false,
    Labels: config.Labels ?? {},
  }
}
