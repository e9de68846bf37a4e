/** The client's side of one build, as the builder sees it: it receives events, and gives files, secrets and
 *  credentials. */
import type { Duplex } from 'node:stream'
import type { BuildEvent } from '../../api/index.ts'
import type { RegistryAuth } from '../../registry/client/index.ts'
import type { FileContext } from '../context/file-context.ts'
import type { BuiltImage, ByteSink } from '../model/built-image.ts'

/** The progress of one instruction, for clients that report instructions in order, as Docker's classic builder does. */
export interface StepReport {
  readonly stage: number
  /** Index among the instructions of the stage. FROM is 0. */
  readonly step: number
  readonly phase: 'begin' | 'running' | 'cached' | 'done' | 'failed'
  /** The instruction as written in the Dockerfile. */
  readonly text: string
  /** With phase `running`, the id of the process. With `done`, the id of the image so far. */
  readonly id?: string
}

/** Receives the progress of a build. */
export interface BuildListener {
  /** Aborted when the client cancels the build. */
  readonly signal: AbortSignal
  /** Receives the build's events in order: steps, output, warnings, metadata. */
  emit(event: BuildEvent): void
  /** Called once with all stages that will be built, in order, and their numbers of instructions, FROM included. */
  readonly onPlan?: (stages: readonly { readonly stage: number; readonly steps: number }[]) => void
  /** Called at each phase of each instruction. When it is present, each step also leaves an image. */
  readonly onStep?: (report: StepReport) => void
  /** Called when every target is built, before outputs are made. The build makes the outputs once the promise
   *  resolves. */
  onBuilt?(images: readonly BuiltImage[]): Promise<void>
}

/** Gives the files of a client, and receives outputs. Optional members are absent when the client can't do that. */
export interface ClientFiles {
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
  /** Opens an output: one file, or a tar of a directory's files. The numbers are indexes of target and output. */
  openOutput?(target: number, output: number, form: 'tar' | 'file'): Promise<ByteSink>
}

/** Gives secrets, SSH agents and credentials of a client. */
export interface ClientSecrets {
  /** The value of a secret. Undefined when the client has none with that id. */
  secret(id: string): Promise<Buffer | undefined>
  /** True when the client forwards an SSH agent with that id. */
  hasSsh?(id: string): Promise<boolean>
  /** Opens a connection to that agent. */
  openSsh?(id: string): Promise<Duplex>
  /** Credentials for a registry, by its host name. */
  authOf(registry: string): Promise<RegistryAuth>
}

/** What a build asks of its client. */
export interface BuildHost extends BuildListener, ClientFiles, ClientSecrets {}
