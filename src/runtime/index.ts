export type { AttachHandle, AttachOptions } from './conmon/conmon-attach.ts'
export type { ExitInfo } from './conmon/exit-info.ts'
export { ConmonRuntime, type CreateOptions } from './conmon-runtime.ts'
export type { ExecOptions } from './exec/container-execs.ts'
export type { ExecHandle, ExecLaunch, ExecPlan } from './exec/exec-launch.ts'
export { toolsProgram } from './exec/exec-tools.ts'
export { findInit } from './programs/find-init.ts'
export { findProgram } from './programs/find-program.ts'
export { exitCodeOf } from './programs/runtime-errors.ts'
export { isShimName } from './programs/runtime-names.ts'
export { type ContainerState, RunningContainer } from './running-container.ts'
export { type AppArmor, openAppArmor } from './security/app-armor.ts'
export { defaultAppArmorProfile } from './security/app-armor-profile.ts'
export { capabilitiesOfMask, defaultCapabilities, resolveCapabilities } from './security/capabilities.ts'
export { type ContainerLabels, labelOptions, SelinuxLabels, sharedLabel } from './security/selinux-labels.ts'
export {
  type BuiltSpec,
  buildEnv,
  buildSpec,
  capabilitySets,
  defaultMaskedPaths,
  defaultReadonlyPaths,
  formatSpec,
} from './spec/build-spec.ts'
export { type CgroupSettings, cgroupBelow, checkCgroupParent } from './spec/cgroup-parent.ts'
export type {
  BindMount,
  NamespaceMode,
  NamespacesInput,
  ProcessInput,
  ResourceLimits,
  ResourcesInput,
  SeccompChoice,
  SecurityInput,
  SpecHost,
  SpecInput,
  TmpfsMount,
} from './spec/spec-input.ts'
export { type ResolvedUser, resolveUser, type UserFiles } from './spec/user.ts'
