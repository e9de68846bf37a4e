export {
  chmodAt,
  chmodFd,
  chownAt,
  type FileStatus,
  linkAt,
  mkdirAt,
  mknodAt,
  openAt,
  openInRoot,
  readlinkAt,
  statAt,
  symlinkAt,
  truncateFd,
  unlinkAt,
  utimesAt,
} from './at.ts'
export {
  type CgroupFeatures,
  type CgroupHierarchy,
  type Cgroups,
  cgroupFeatures,
  cgroupRoot,
  detectCgroups,
  prepareCgroups,
} from './cgroup.ts'
export { freezeCgroup, isCgroupFrozen, thawCgroup } from './cgroup-freezer.ts'
export { clearPidsLimit, keepCgroupLimits } from './cgroup-limits.ts'
export { awaitCgroupMove, expectCgroupMove } from './cgroup-moves.ts'
export {
  cgroupPathOfPid,
  createCgroup,
  dissolveCgroup,
  killCgroup,
  listCgroups,
  readPids,
  removeCgroup,
  removeEmptyCgroup,
} from './cgroup-tree.ts'
export { ConsoleSocket } from './console-socket.ts'
export { dataRuns } from './data-runs.ts'
export { type DatagramReply, DatagramServer } from './datagram-server.ts'
export {
  closeFd,
  duplicateFd,
  makePipe,
  oCloexec,
  oPath,
  openFd,
  readFd,
  setNonBlocking,
  writeFd,
  writeFully,
} from './fd.ts'
export { FdReader, type FdReaderHandlers } from './fd-reader.ts'
export { FdWriter, type FdWriterHandlers } from './fd-writer.ts'
export {
  errno,
  loadKoffi,
  type NativeValue,
  nativeFunction,
  rawSyscall,
  type SystemError,
  syscall,
  systemError,
} from './ffi.ts'
export { asFileOwner } from './file-owner.ts'
export { filterThrough } from './filter-program.ts'
export { addToFirewalldZone, firewalldTable, isUnderFirewalld, removeFromFirewalldZone } from './firewalld.ts'
export { acquireLock, type Lock, tryLockFile } from './flock.ts'
export { isHungUp } from './hang-up.ts'
export {
  effectiveCapabilities,
  fileSystemName,
  type HostInfo,
  hostInfo,
  type KernelFeatures,
  kernelFeatures,
  osRelease,
} from './host.ts'
export { type BoundPort, bindHostPort } from './host-port.ts'
export { type BoundSocket, bindDatagramSocket, connectStreamSocket, listenOnSocket } from './inet-socket.ts'
export { addressBytes, addressText } from './ip-bytes.ts'
export { changeFilterTable, type IptablesFlavour, legacyTables, listChain } from './iptables.ts'
export { sealedCopy } from './memfd.ts'
export { releaseMemory, releaseYoungMemory } from './memory.ts'
export {
  bindMount,
  type Mount,
  mount,
  type Propagation,
  setPropagation,
  unmount,
  unmountInBackground,
} from './mount.ts'
export { mountByProgram } from './mount-by-program.ts'
export { listMounts, type MountInfo, parseMountInfo } from './mount-table.ts'
export { attachMountTree, cloneIdMapped, cloneMountTree, type MountTreeOptions } from './mount-tree.ts'
export {
  createNetworkNamespace,
  deleteNetworkNamespace,
  inNetworkNamespace,
  writeNetworkSysctl,
} from './namespaces.ts'
export {
  type AddressInfo,
  addAddress,
  addDefaultRoute,
  addRoute,
  deleteAddress,
  deleteRoute,
  type RouteInfo,
  type RouteOptions,
} from './netlink-address.ts'
export { type FlowFilter, forgetFlows } from './netlink-conntrack.ts'
export { addMapElements, deleteMapElements, type MapElement, type NftTable } from './netlink-nft.ts'
export { holdNat, type NatHold } from './netlink-nft-nat.ts'
export { type LoopbackRedirect, listNftTables, redirectLoopbackPorts } from './netlink-nft-redirect.ts'
export { type NftWatch, watchNftTable } from './netlink-nft-watch.ts'
export { createStackedLink, type StackedLink } from './netlink-parent.ts'
export {
  createBridge,
  createVeth,
  deleteLink,
  type LinkInfo,
  RouteSocket,
  setLink,
  type VethOptions,
} from './netlink-route.ts'
export { runNft } from './nft.ts'
export { openNullDevice } from './null-device.ts'
export { OpenWatch } from './open-watch.ts'
export { onPidfdExit, pidfdOpen, pidfdSendSignal } from './pidfd.ts'
export { FdPoll, type PollEvents, type PollOptions } from './poll.ts'
export { defaultEnv, type SpawnOptions } from './posix-spawn.ts'
export { isProcessAlive, processStartTime, signalProcess, waitAll } from './process.ts'
export { killDescendants } from './process-tree.ts'
export { hasProjectQuotas, limitTree, unlimitTree, withRoomInTree } from './project-quota.ts'
export { getWindowSize, makeRaw, openPty, type Pty, setWindowSize, type WindowSize } from './pty.ts'
export { relabelTree } from './relabel.ts'
export { type ResumableAlgorithm, ResumableHash } from './resumable-hash.ts'
export { type CommandResult, type RunCommandOptions, runCommand } from './run-command.ts'
export { compileSeccomp } from './seccomp-filter.ts'
export { isSelinuxEnabled, type SelinuxPlaces, type SelinuxPolicy, selinuxPolicy } from './selinux.ts'
export { type SendFileOptions, sendFile } from './send-file.ts'
export { type ConnectOptions, SeqpacketSocket } from './seqpacket.ts'
export { parseSignal } from './signals.ts'
export { type ExitStatus, type SpawnedProcess, spawnProcess } from './spawn.ts'
export { startWorker } from './start-worker.ts'
export { hostCpuTime, StatsFiles, type StatsText } from './stats-files.ts'
export { syncFileSystem } from './sync-file-system.ts'
export {
  formatScope,
  groupInScope,
  isSliceName,
  isSystemdBooted,
  listScopes,
  pathOfRuntimeCgroup,
} from './systemd-scope.ts'
export { UnixDatagramSocket } from './unix-datagram.ts'
export { openUserNamespace } from './user-namespace.ts'
export { type DirectoryWatch, type WatchHandlers, watchDirectory } from './watch-directory.ts'
export { beginWriteback } from './writeback.ts'
export { getXattr, isForeignXattr, listXattrs, setXattr } from './xattr.ts'
