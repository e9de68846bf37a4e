import type { Optional, StringMap, WireSet } from './optional.ts'

/** The part of a container's configuration that does not depend on the host. Also an image's defaults. */
export type ContainerConfig = Optional<{
  Hostname: string
  Domainname: string
  User: string
  AttachStdin: boolean
  AttachStdout: boolean
  AttachStderr: boolean
  ExposedPorts: WireSet
  Tty: boolean
  OpenStdin: boolean
  StdinOnce: boolean
  Env: readonly string[]
  Cmd: readonly string[]
  Healthcheck: HealthConfig
  ArgsEscaped: boolean
  Image: string
  Volumes: WireSet
  WorkingDir: string
  Entrypoint: readonly string[]
  NetworkDisabled: boolean
  /** Only from clients below API 1.44; `EndpointSettings.MacAddress` since. */
  MacAddress: string
  OnBuild: readonly string[]
  Labels: StringMap
  StopSignal: string
  StopTimeout: number
  Shell: readonly string[]
}>

/** A command that tells whether the container works. Times are nanoseconds. */
export type HealthConfig = Optional<{
  Test: readonly string[]
  Interval: number
  Timeout: number
  StartPeriod: number
  StartInterval: number
  Retries: number
}>
