/** What one build has of whoever asked for it: ears for its events, its files, its secrets. */
import type { Duplex } from 'node:stream'
import type { BuildEvent } from '../../api/index.ts'
import type { RegistryAuth } from '../../registry/client/index.ts'
import type { FileContext } from '../context/file-context.ts'
import type { BuiltImage, ByteSink } from '../model/built-image.ts'

/** One instruction's progress, for clients that are told of all of them in order. */
export interface StepReport {
  readonly stage: number
  /** Among the instructions of the stage, FROM being 0. */
  readonly step: number
  readonly phase: 'begin' | 'running' | 'cached' | 'done' | 'failed'
  /** The instruction as written. */
  readonly text: string
  /** `running`: of the process. `done`: of the image so far. */
  readonly id?: string
}

export interface BuildHost {
  readonly signal: AbortSignal
  emit(event: BuildEvent): void
  /** The stages that will be built, in order, with how many instructions each has, FROM included. */
  readonly onPlan?: (stages: readonly { readonly stage: number; readonly steps: number }[]) => void
  /** Absent: nobody wants to know. */
  readonly onStep?: (report: StepReport) => void
  /** `context`, or the name of a named one; undefined when there is none. Opened once. */
  openContext(name: string): Promise<FileContext | undefined>
  /** The Dockerfile's text, by clients that keep it beside the context; undefined when there is none. */
  readDockerfile?(): Promise<string | undefined>
  secret(id: string): Promise<Buffer | undefined>
  /** The client forwards an agent of that name. */
  hasSsh?(id: string): Promise<boolean>
  /** One connection to it. */
  openSsh?(id: string): Promise<Duplex>
  authOf(registry: string): Promise<RegistryAuth>
  /** A file of the directory that is the named context. */
  readContextFile?(name: string, path: string): AsyncIterable<Buffer>
  /** What another build made, by the result's id; an image for each platform. */
  builtContext?(id: string): readonly BuiltImage[] | undefined
  /** A file of the directory that `--cache-from` of that index names. */
  readCacheFile?(option: number, path: string): AsyncIterable<Buffer>
  /** Every target is built; outputs are made when this resolves. */
  onBuilt?(images: readonly BuiltImage[]): Promise<void>
  openOutput?(target: number, output: number, form: 'tar' | 'file'): Promise<ByteSink>
}
