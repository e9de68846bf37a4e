export { type AppArmor, openAppArmor } from './app-armor.ts'
export { appArmorProfile, defaultAppArmorProfile } from './app-armor-profile.ts'
export {
  type BuiltSpec,
  buildEnv,
  buildSpec,
  capabilitySets,
  defaultMaskedPaths,
  defaultReadonlyPaths,
  formatSpec,
} from './build-spec.ts'
export { capabilitiesOfMask, defaultCapabilities, resolveCapabilities } from './capabilities.ts'
export { type CgroupSettings, cgroupBelow, checkCgroupParent } from './cgroup-parent.ts'
export type { AttachHandle, AttachOptions } from './conmon-attach.ts'
export type { TerminalSize } from './conmon-control.ts'
export {
  ConmonRuntime,
  type ConmonRuntimeOptions,
  type ContainerState,
  type CreateOptions,
  type Trace,
} from './conmon-runtime.ts'
export type { ExecHandle, ExecLaunch, ExecPlan } from './exec-launch.ts'
export type { ExecOptions } from './exec-process.ts'
export { toolsProgram } from './exec-tools.ts'
export type { ExitInfo } from './exit-info.ts'
export { findInit } from './find-init.ts'
export { exitCodeOf } from './runtime-errors.ts'
export { isShimName } from './runtime-names.ts'
export { parseSeccompProfile } from './seccomp-profile.ts'
export { type ContainerLabels, labelOptions, SelinuxLabels, sharedLabel } from './selinux-labels.ts'
export type {
  BindMount,
  NamespaceMode,
  ResourceLimits,
  SeccompChoice,
  SpecHost,
  SpecInput,
  TmpfsMount,
} from './spec-input.ts'
export { type ResolvedUser, resolveUser, type UserFiles } from './user.ts'
