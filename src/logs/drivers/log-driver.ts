/** The interface of drivers that deliver logs to a server. */
import type { LogRecord } from './log-record.ts'

/** One container's connection to a log server. */
export interface LogDriver {
  /** Delivers records in their order. Resolves when the server confirmed them, or, if the protocol has no confirmation,
   *  when the kernel took them. Rejects when the server does not have all of them; the caller then sends all again. */
  send(records: readonly LogRecord[]): Promise<void>
  /** Closes the connection. What was sent still arrives. Idempotent. */
  close(): Promise<void>
}

/** How often a driver tries again. */
export interface RetryPace {
  readonly firstMs: number
  readonly maxMs: number
  /** After this many tries in a row, all pauses have the maximal length. */
  readonly maxRetries: number
}

/** Facts of a container that drivers send, as of its start. */
export interface LogInfo {
  readonly containerId: string
  /** Name without the leading slash. */
  readonly containerName: string
  readonly entrypoint: string
  readonly args: readonly string[]
  readonly imageId: string
  readonly imageName: string
  /** Time of creation, as RFC 3339. */
  readonly created: string
  readonly env: readonly string[]
  readonly labels: Readonly<Record<string, string>>
  /** The driver's options. */
  readonly options: Readonly<Record<string, string>>
}

/** Length of Docker's short ids. */
export const shortIdLength = 12
