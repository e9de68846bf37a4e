export {
  type CgroupFeatures,
  type CgroupHierarchy,
  type Cgroups,
  cgroupFeatures,
  cgroupRoot,
  detectCgroups,
  prepareCgroups,
} from './cgroups/cgroup.ts'
export { freezeCgroup, isCgroupFrozen, thawCgroup } from './cgroups/cgroup-freezer.ts'
export { clearPidsLimit, keepCgroupLimits } from './cgroups/cgroup-limits.ts'
export { awaitCgroupMove, expectCgroupMove } from './cgroups/cgroup-moves.ts'
export {
  cgroupPathOfPid,
  createCgroup,
  dissolveCgroup,
  killCgroup,
  listCgroups,
  readPids,
  removeCgroup,
  removeEmptyCgroup,
} from './cgroups/cgroup-tree.ts'
export { hostCpuTime, StatsFiles, type StatsText } from './cgroups/stats-files.ts'
export {
  formatScope,
  groupInScope,
  isSliceName,
  isSystemdBooted,
  listScopes,
  pathOfRuntimeCgroup,
} from './cgroups/systemd-scope.ts'
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
} from './files/at.ts'
export { dataRuns } from './files/data-runs.ts'
export { FdReader, type FdReaderHandlers } from './files/fd-reader.ts'
export { FdWriter, type FdWriterHandlers } from './files/fd-writer.ts'
export { asFileOwner } from './files/file-owner.ts'
export { acquireLock, type Lock, tryLockFile } from './files/flock.ts'
export { type FreeRoom, freeRoom } from './files/free-room.ts'
export { sealedCopy } from './files/memfd.ts'
export { openNullDevice } from './files/null-device.ts'
export { preallocate } from './files/preallocate.ts'
export { closeFile, makePrivateDirectory } from './files/private-directory.ts'
export { hasProjectQuotas, limitTree, unlimitTree, withRoomInTree } from './files/project-quota.ts'
export { relabelTree } from './files/relabel.ts'
export { isSelinuxEnabled, type SelinuxPlaces, type SelinuxPolicy, selinuxPolicy } from './files/selinux.ts'
export { type SendFileOptions, sendFile } from './files/send-file.ts'
export { beginWriteback, syncFileSystem } from './files/to-disk.ts'
export { getXattr, isForeignXattr, listXattrs, setXattr } from './files/xattr.ts'
export {
  effectiveCapabilities,
  fileSystemName,
  type HostInfo,
  hostInfo,
  type KernelFeatures,
  kernelFeatures,
  osRelease,
} from './host.ts'
export {
  bindMount,
  type Mount,
  mount,
  type Propagation,
  setPropagation,
  unmount,
  unmountInBackground,
} from './mounts/mount.ts'
export { mountByProgram } from './mounts/mount-by-program.ts'
export { listMounts, type MountInfo, parseMountInfo } from './mounts/mount-table.ts'
export { attachMountTree, cloneIdMapped, cloneMountTree, type MountTreeOptions } from './mounts/mount-tree.ts'
export {
  createNetworkNamespace,
  deleteNetworkNamespace,
  inNetworkNamespace,
  inNewNetworkNamespace,
  writeNetworkSysctl,
} from './namespaces/namespaces.ts'
export { openUserNamespace } from './namespaces/user-namespace.ts'
export {
  closeFd,
  duplicateFd,
  isHungUp,
  makePipe,
  oCloexec,
  oPath,
  openFd,
  readFd,
  setNonBlocking,
  unreadBytes,
  writeFd,
  writeFully,
} from './native/fd.ts'
export {
  errno,
  loadKoffi,
  type NativeValue,
  nativeFunction,
  rawSyscall,
  type SystemError,
  syscall,
  systemError,
} from './native/ffi.ts'
export { addressBytes, addressText } from './native/ip-bytes.ts'
export { releaseMemory, releaseYoungMemory } from './native/memory.ts'
export { FdPoll, type PollEvents, type PollOptions } from './native/poll.ts'
export { type ResumableAlgorithm, ResumableHash } from './native/resumable-hash.ts'
export { parseSignal } from './native/signals.ts'
export { addToFirewalldZone, firewalldTable, isUnderFirewalld, removeFromFirewalldZone } from './netfilter/firewalld.ts'
export { changeFilterTable, type IptablesFlavour, legacyTables, listChain } from './netfilter/iptables.ts'
export { addMapElements, deleteMapElements, type MapElement, type NftTable } from './netfilter/netlink-nft.ts'
export { holdNat, type NatHold } from './netfilter/netlink-nft-nat.ts'
export { type LoopbackRedirect, listNftTables, redirectLoopbackPorts } from './netfilter/netlink-nft-redirect.ts'
export { type NftWatch, watchNftTable } from './netfilter/netlink-nft-watch.ts'
export { runNft } from './netfilter/nft.ts'
export {
  type AddressInfo,
  addAddress,
  addDefaultRoute,
  addRoute,
  deleteAddress,
  deleteRoute,
  type RouteInfo,
  type RouteOptions,
} from './netlink/netlink-address.ts'
export { type FlowFilter, forgetFlows } from './netlink/netlink-conntrack.ts'
export { createStackedLink, type StackedLink } from './netlink/netlink-parent.ts'
export {
  createBridge,
  createVeth,
  deleteLink,
  type LinkInfo,
  RouteSocket,
  setLink,
  type VethOptions,
} from './netlink/netlink-route.ts'
export { filterThrough } from './processes/filter-program.ts'
export { onPidfdExit, pidfdOpen, pidfdSendSignal } from './processes/pidfd.ts'
export { defaultEnv, type SpawnOptions } from './processes/posix-spawn.ts'
export { isProcessAlive, processStartTime, signalProcess, waitAll } from './processes/process.ts'
export { killDescendants } from './processes/process-tree.ts'
export { type CommandResult, type RunCommandOptions, runCommand } from './processes/run-command.ts'
export { compileSeccomp } from './processes/seccomp-filter.ts'
export { type ExitStatus, type SpawnedProcess, spawnProcess } from './processes/spawn.ts'
export { startWorker } from './processes/start-worker.ts'
export { type DatagramReply, DatagramServer } from './sockets/datagram-server.ts'
export { type BoundPort, bindHostPort } from './sockets/host-port.ts'
export {
  type BoundSocket,
  bindDatagramSocket,
  boundAddress,
  connectStreamSocket,
  listenOnSocket,
} from './sockets/inet-socket.ts'
export { type ConnectOptions, SeqpacketSocket } from './sockets/seqpacket.ts'
export { UnixDatagramSocket } from './sockets/unix-datagram.ts'
export { ConsoleSocket } from './terminals/console-socket.ts'
export { getWindowSize, makeRaw, openPty, type Pty, setWindowSize, type WindowSize } from './terminals/pty.ts'
export { OpenWatch } from './watch/open-watch.ts'
export { type DirectoryWatch, type WatchHandlers, watchDirectory } from './watch/watch-directory.ts'
