/** Where a container's log is delivered to. */
import type { LogRecord } from '../log-record.ts'

/** One container's connection to a log server. */
export interface LogDriver {
  /** Delivers records in their order. Resolves when the server has them: confirmed by it where the protocol can, else
   *  taken by the kernel for it. Rejects when it has not all of them; the caller sends them again. */
  send(records: readonly LogRecord[]): Promise<void>
  /** Lets go. What was sent still arrives. Idempotent. */
  close(): Promise<void>
}

/** How often a driver is tried again. */
export interface RetryPace {
  readonly firstMs: number
  readonly maxMs: number
  /** After this many tries in a row only the longest pause is made. */
  readonly maxRetries: number
}

/** What drivers tell of a container, fixed at its start. */
export interface LogInfo {
  readonly containerId: string
  /** Without a slash. */
  readonly containerName: string
  readonly entrypoint: string
  readonly args: readonly string[]
  readonly imageId: string
  readonly imageName: string
  /** RFC 3339. */
  readonly created: string
  readonly env: readonly string[]
  readonly labels: Readonly<Record<string, string>>
  /** The driver's options. */
  readonly options: Readonly<Record<string, string>>
}

/** As Docker shortens ids. */
export const shortIdLength = 12
