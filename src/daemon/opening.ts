/** What the steps of an engine's start share. */
import type { DisposalStack, Logger } from '../base/index.ts'
import type { DaemonConfig, UserRemap } from '../config/index.ts'
import type { ContainerSettings } from '../containers/index.ts'
import type { SelinuxPolicy } from '../sys/index.ts'
import type { BootProgress } from './boot-progress.ts'

export interface EngineOptions {
  readonly logger: Logger
  /** Told the time of each step of a container start. */
  readonly trace?: (containerId: string, step: string, ms: number) => void
  /** In place of what this host says of SELinux. */
  readonly selinux?: SelinuxPolicy
}

export interface CloseOptions {
  readonly stopContainers?: boolean
  readonly removeNetwork?: boolean
}

/** What may change under a running engine is read from here. */
export interface CurrentSettings {
  config: DaemonConfig
  settings: ContainerSettings
}

export interface Opening {
  readonly options: EngineOptions
  /** The configuration as it was given. */
  readonly given: DaemonConfig
  /** The configuration of the start, with the roots of the user mapping. */
  readonly config: DaemonConfig
  readonly current: CurrentSettings
  readonly remap: UserRemap | undefined
  readonly boot: BootProgress
  /** Each part registers here how it is closed as soon as it is open. */
  readonly stack: DisposalStack
  /** What `close()` was asked for; undefined when the start fails. */
  readonly closing: () => CloseOptions | undefined
}
