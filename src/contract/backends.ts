import type { BuildBackend } from './builds.ts'
import type { ContainerBackend } from './containers.ts'
import type { ExecBackend } from './exec.ts'
import type { ImageBackend } from './images.ts'
import type { NetworkBackend } from './networks.ts'
import type { RegistryBackend } from './registries.ts'
import type { SystemBackend } from './system.ts'
import type { VolumeBackend } from './volumes.ts'

/** Everything that the API server asks of an engine, by noun. Programs that embed an engine call the same functions.
 *  All of them reject with a `BerthError`, whose kind decides the status of the answer. */
export interface Backends {
  readonly containers: ContainerBackend
  readonly exec: ExecBackend
  readonly images: ImageBackend
  readonly system: SystemBackend
  readonly networks: NetworkBackend
  readonly volumes: VolumeBackend
  readonly registries: RegistryBackend
  readonly builds: BuildBackend
}
