/** What exporters work with. The composition root supplies it. */
import type { BuildRequest } from '../../../api/index.ts'
import type { BuildClient } from '../../../contract/index.ts'
import type { EventBus } from '../../../events/index.ts'
import type { ImageParts, ImagePushes } from '../../../images/index.ts'
import type { RegistryAuth } from '../../../registry/client/index.ts'
import type { BuiltImage } from '../../model/built-image.ts'

/** The parts of the engine that exporters use. */
export interface ExportParts {
  readonly images: ImageParts
  readonly pushes: Pick<ImagePushes, 'pushParts'>
  readonly events: EventBus
  /** Mounts the layers up to a chain id, read-only, until the result is disposed of. */
  openView(chainId: string): Promise<Disposable & { readonly path: string }>
}

/** What an exporter uses of the build's client. */
export interface ExportHost extends Pick<BuildClient, 'signal' | 'emit' | 'openOutput'> {
  /** Credentials for a registry, by its host name. */
  authOf(registry: string): Promise<RegistryAuth>
}

/** One output of one target. */
export interface WantedOutput {
  readonly target: number
  /** Index among the target's outputs. */
  readonly output: number
  readonly request: BuildRequest
}

/** The images of one target, one per platform, to be exported. */
export interface ExportJob {
  readonly images: readonly [BuiltImage, ...BuiltImage[]]
  readonly wanted: WantedOutput
  readonly host: ExportHost
}
