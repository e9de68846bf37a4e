export { nameServersOf } from './connections/network-files.ts'
export { containerService, networkMembers } from './container-service.ts'
export { containerImages } from './create/container-images.ts'
export { validateResources } from './create/validate.ts'
export { volumeArchives } from './files/volume-archive.ts'
export { reserveLabels } from './isolation/selinux.ts'
export { LiveContainers } from './live/live.ts'
export { hostClock } from './ports/clock.ts'
export { hostControlGroups } from './ports/control-groups.ts'
export { hostMounts, hostProcesses, hostTrees } from './ports/host-files.ts'
export { ContainerIndex } from './record/container-index.ts'
export { type ContainerMount, type ContainerRecord, containerLayers, type RunState } from './record/container-record.ts'
export type {
  ContainerContext,
  ContainerImages,
  ContainerSettings,
  ContainerVolumes,
  HostFacts,
} from './record/dependencies.ts'
export { ContainerPaths } from './record/paths.ts'
export { containerVolumes } from './rootfs/container-volumes.ts'
export { adoptContainers, finishRestore, liveIds } from './run/restore.ts'
export { stopForShutdown } from './run/stop.ts'
export { deviceTargets, type FoundDevice, lookUpDevices, withDevices } from './spec/cdi-lookup.ts'
export { joinedNetwork } from './spec/joined-network.ts'
export { Execs } from './streams/exec.ts'
export { imageUse } from './views/image-use.ts'
