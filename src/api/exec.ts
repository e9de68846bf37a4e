import type { Optional } from './optional.ts'

/** Body of `POST /containers/{id}/exec`. */
export type ExecConfig = Optional<{
  User: string
  Privileged: boolean
  Tty: boolean
  /** Height, then width. */
  ConsoleSize: readonly number[]
  AttachStdin: boolean
  AttachStderr: boolean
  AttachStdout: boolean
  DetachKeys: string
  Env: readonly string[]
  WorkingDir: string
  Cmd: readonly string[]
  Detach: boolean
  /** Berth's own: the command is one of busybox, which the daemon brings along. */
  BerthTools: boolean
}>

/** Body of `POST /exec/{id}/start`. */
export type ExecStartBody = Optional<{
  Detach: boolean
  Tty: boolean
  /** Height, then width. */
  ConsoleSize: readonly number[]
}>

/** `GET /exec/{id}/json`. */
export interface ExecInspect {
  readonly ID: string
  readonly Running: boolean
  /** Null until it ended. */
  readonly ExitCode: number | null
  readonly ProcessConfig: ExecProcessConfig
  readonly OpenStdin: boolean
  readonly OpenStderr: boolean
  readonly OpenStdout: boolean
  readonly CanRemove: boolean
  readonly ContainerID: string
  readonly DetachKeys: string
  readonly Pid: number
}

export interface ExecProcessConfig {
  readonly tty: boolean
  readonly entrypoint: string
  readonly arguments: readonly string[]
  readonly privileged?: boolean | undefined
  readonly user?: string | undefined
}
