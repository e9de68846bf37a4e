/** What a service manager puts into the environment: sd_listen_fds(3), sd_notify(3). */
import process from 'node:process'

export interface ServiceManagerEnvironment {
  /** Of the listening sockets that were passed on. */
  readonly descriptors: readonly number[]
  /** A datagram socket; a leading `@` stands for a null byte (unix(7), abstract). */
  readonly notifyPath: string | undefined
}

/** The first descriptor that is passed on. */
const firstDescriptor = 3
const names = ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES', 'NOTIFY_SOCKET']

/** Reads what is meant for this process, and takes it out of the environment: it is not for its children. */
export function takeServiceManagerEnvironment(): ServiceManagerEnvironment {
  const { LISTEN_PID: pid, LISTEN_FDS: fds = '', NOTIFY_SOCKET: notifyPath = '' } = process.env
  for (const name of names) delete process.env[name]
  const count = pid === String(process.pid) && /^\d{1,4}$/.test(fds) ? Number(fds) : 0
  return {
    descriptors: Array.from({ length: count }, (_, index) => firstDescriptor + index),
    notifyPath: notifyPath === '' ? undefined : notifyPath,
  }
}
