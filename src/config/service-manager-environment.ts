/** The variables of a service manager: sd_listen_fds(3), sd_notify(3). */
import process from 'node:process'

/** What the service manager passed to this process. */
export interface ServiceManagerEnvironment {
  /** The descriptors of listening sockets. */
  readonly descriptors: readonly number[]
  /** The path of a datagram socket. A leading `@` means a null byte (unix(7), abstract). */
  readonly notifyPath: string | undefined
}

/** The first descriptor that a service manager passes. */
const firstDescriptor = 3
const names = ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES', 'NOTIFY_SOCKET']

/** Reads the variables and deletes them from the environment, because children must not inherit them. */
export function takeServiceManagerEnvironment(): ServiceManagerEnvironment {
  const { LISTEN_PID: pid, LISTEN_FDS: fds = '', NOTIFY_SOCKET: notifyPath = '' } = process.env
  for (const name of names) delete process.env[name]
  const count = pid === String(process.pid) && /^\d{1,4}$/.test(fds) ? Number(fds) : 0
  return {
    descriptors: Array.from({ length: count }, (_, index) => firstDescriptor + index),
    notifyPath: notifyPath === '' ? undefined : notifyPath,
  }
}
