/** User namespaces of containers (`userns-remap`): which containers have one, and what follows from it.
 *  user_namespaces(7); https://docs.docker.com/engine/security/userns-remap/ */
import { chownSync } from 'node:fs'
import type { HostConfig } from '../../api/index.ts'
import { conflict, invalidArgument } from '../../base/index.ts'
import type { UserRemap } from '../../config/index.ts'
import type { IdMappings } from '../../oci/index.ts'
import { asFileOwner } from '../../sys/index.ts'
import type { ContainerRecord } from '../record/container-record.ts'
import type { Uses } from '../record/dependencies.ts'
import { isUp } from '../record/state.ts'

type WithMode = Pick<HostConfig, 'UsernsMode'>

/** The mapping of a container's user ids; undefined if it uses the host's. */
export function remapOf({ remap }: Uses<'remap'>, hostConfig: WithMode): UserRemap | undefined {
  return hostConfig.UsernsMode === 'host' ? undefined : remap
}

/** The mapping in the form that packing and unpacking files takes. */
export function mappingsOf(context: Uses<'remap'>, hostConfig: WithMode): IdMappings | undefined {
  return remapOf(context, hostConfig)?.mappings
}

/** Throws `invalidArgument`, in Docker's words, for settings that a container in a user namespace can't have. */
export function checkUserNamespace(context: Uses<'remap'>, hostConfig: HostConfig): void {
  if (remapOf(context, hostConfig) === undefined) return
  if (hostConfig.Privileged === true) {
    throw invalidArgument(
      'privileged mode is incompatible with user namespaces.  You must run the container in the host namespace when running privileged mode',
    )
  }
  if (hostConfig.NetworkMode === 'host') {
    throw invalidArgument("cannot share the host's network namespace when user namespaces are enabled")
  }
  if (hostConfig.PidMode === 'host') {
    throw invalidArgument('cannot share the host PID namespace when user namespaces are enabled')
  }
}

/** The container whose user namespace this one must join, because it joins other namespaces that belong to that user
 *  namespace. Undefined: the container gets a new user namespace. Throws `conflict` if the other container uses the
 *  host's user ids, or if two different user namespaces would have to be joined. */
export function userNamespaceDonor(
  context: Uses<'containers' | 'remap'>,
  record: ContainerRecord,
): ContainerRecord | undefined {
  const { NetworkMode, IpcMode, PidMode } = record.hostConfig
  const donors = [NetworkMode, IpcMode, PidMode]
    .filter((mode) => mode?.startsWith('container:') === true)
    .map((mode) => context.containers.get((mode ?? '').slice('container:'.length)))
  const [donor] = donors
  if (donor === undefined) return undefined
  if (remapOf(context, donor.hostConfig) === undefined) {
    throw conflict(
      `cannot join a namespace of container ${donor.id}, which has the host's user namespace: this one needs --userns=host as well`,
    )
  }
  const root = rootDonor(context, donor)
  if (donors.some((other) => rootDonor(context, other).id !== root.id)) {
    throw conflict('cannot join namespaces of containers with different user namespaces')
  }
  if (!isUp(donor.state.status)) throw conflict(`cannot join namespaces of a non running container: ${donor.id}`)
  return donor
}

/** The container for which the user namespace was made. */
function rootDonor(context: Uses<'containers'>, record: ContainerRecord): ContainerRecord {
  const { NetworkMode, IpcMode, PidMode } = record.hostConfig
  const mode = [NetworkMode, IpcMode, PidMode].find((each) => each?.startsWith('container:') === true)
  const next = !mode ? undefined : context.containers.find(mode.slice('container:'.length))
  return next === undefined || next.id === record.id ? record : rootDonor(context, next)
}

/** The group on the host that may pass through the daemon's directories to containers' files: the group of the
 *  containers' root user. Undefined without a mapping: only root of the host may pass then. */
export function passingGroup({ remap }: Uses<'remap'>): number | undefined {
  return remap?.root.gid
}

/** Makes the container's root user the owner of files. */
export function giveToContainer(context: Uses<'remap'>, hostConfig: WithMode, paths: readonly string[]): void {
  const remap = remapOf(context, hostConfig)
  if (remap === undefined) return
  for (const path of paths) chownSync(path, remap.root.uid, remap.root.gid)
}

/** Runs `work`, which must be synchronous, so that the files it makes belong to the container's root user. */
export function asContainerRoot<T>(context: Uses<'remap'>, hostConfig: WithMode, work: () => T): T {
  const remap = remapOf(context, hostConfig)
  return remap === undefined ? work() : asFileOwner(remap.root, work)
}
