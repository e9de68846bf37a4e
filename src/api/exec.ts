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
  /** Berth only: the command is one of the busybox that the daemon provides. */
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
  /** Null until the process has ended. */
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

/** What an exec runs. */
export interface ExecProcessConfig {
  readonly tty: boolean
  readonly entrypoint: string
  readonly arguments: readonly string[]
  readonly privileged?: boolean | undefined
  readonly user?: string | undefined
}
