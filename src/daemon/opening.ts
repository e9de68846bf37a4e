/** Values that the steps of an engine's start share. */
import type { DisposalStack, Logger } from '../base/index.ts'
import type { DaemonConfig, UserRemap } from '../config/index.ts'
import type { ContainerSettings } from '../containers/index.ts'
import type { SelinuxPolicy } from '../sys/index.ts'
import type { BootProgress } from './boot-progress.ts'

/** Options of an engine beside its configuration. */
export interface EngineOptions {
  readonly logger: Logger
  /** Called after each step of a container start with the step's time in milliseconds. */
  readonly trace?: (containerId: string, step: string, ms: number) => void
  /** For tests: replaces the host's SELinux policy. */
  readonly selinux?: SelinuxPolicy
}

/** How an engine is closed. */
export interface CloseOptions {
  readonly stopContainers?: boolean
  readonly removeNetwork?: boolean
}

/** The settings in force. A reload replaces them while the engine runs. */
export interface CurrentSettings {
  config: DaemonConfig
  settings: ContainerSettings
}

/** Values that the steps of an engine's start share. */
export interface Opening {
  readonly options: EngineOptions
  /** The configuration as it was given. */
  readonly given: DaemonConfig
  /** The configuration of the start, with the roots of the user mapping. */
  readonly config: DaemonConfig
  readonly current: CurrentSettings
  readonly remap: UserRemap | undefined
  readonly boot: BootProgress
  /** A part adds here how it is closed as soon as it is open. */
  readonly stack: DisposalStack
  /** The options of `close()`; undefined if the start failed. */
  readonly closing: () => CloseOptions | undefined
}
