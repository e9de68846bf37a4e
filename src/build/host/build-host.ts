/** The client's side of one build, as the builder sees it: it receives events, and gives files, secrets and
 *  credentials. */
import type { BuildClient } from '../../contract/index.ts'
import type { RegistryAuth } from '../../registry/client/index.ts'
import type { FileContext } from '../context/file-context.ts'
import type { BuiltImage } from '../model/built-image.ts'

/** Receives the progress of a build. */
export interface BuildListener extends Pick<BuildClient, 'signal' | 'emit' | 'onPlan' | 'onStep'> {
  /** Called when every target is built, before outputs are made. The build makes the outputs once the promise
   *  resolves. */
  onBuilt?(images: readonly BuiltImage[]): Promise<void>
}

/** Gives the files of a client, and receives outputs. Optional members are absent when the client can't do that. */
export interface ClientFiles extends Pick<BuildClient, 'openOutput'> {
  /** Opens a context: `context` for the build's own, else the name of a named context. Undefined when there is none. A
   *  build opens each context once. */
  openContext(name: string): Promise<FileContext | undefined>
  /** Reads the Dockerfile from a client that keeps it outside the context. Undefined when there is none. */
  readDockerfile?(): Promise<string | undefined>
  /** Reads a file of the directory behind a named context. */
  readContextFile?(name: string, path: string): AsyncIterable<Buffer>
  /** The images, one per platform, that another build of this client made. `id` is the id of its result. */
  builtContext?(id: string): readonly BuiltImage[] | undefined
  /** Reads a file of the directory that the `--cache-from` option with that index names. */
  readCacheFile?(option: number, path: string): AsyncIterable<Buffer>
}

/** Gives secrets, SSH agents and credentials of a client. */
export interface ClientSecrets extends Pick<BuildClient, 'openSsh'> {
  /** The value of a secret. Undefined when the client has none with that id. */
  secret(id: string): Promise<Buffer | undefined>
  /** True when the client forwards an SSH agent with that id. */
  hasSsh?(id: string): Promise<boolean>
  /** Credentials for a registry, by its host name. */
  authOf(registry: string): Promise<RegistryAuth>
}

/** What a build asks of its client. */
export interface BuildHost extends BuildListener, ClientFiles, ClientSecrets {}
