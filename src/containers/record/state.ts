/** The life of a container as one table: which verb is allowed in which status. Pure.
 *  Docker's statuses: https://docs.docker.com/reference/api/engine/ (ContainerState). */
import { BerthError, conflict, internal } from '../../base/index.ts'

export type ContainerStatus = 'created' | 'running' | 'paused' | 'restarting' | 'exited' | 'removing' | 'dead'

export type Verb =
  | 'start'
  | 'stop'
  | 'kill'
  | 'restart'
  | 'pause'
  | 'unpause'
  | 'attach'
  | 'remove'
  | 'removeForced'
  | 'exec'

const allowed: Readonly<Record<Verb, readonly ContainerStatus[]>> = {
  start: ['created', 'exited', 'restarting'],
  stop: ['running', 'paused', 'restarting'],
  kill: ['running', 'paused', 'restarting'],
  restart: ['created', 'exited', 'running', 'paused', 'restarting'],
  pause: ['running'],
  unpause: ['paused'],
  attach: ['created', 'exited', 'running'],
  remove: ['created', 'exited', 'dead'],
  removeForced: ['created', 'exited', 'dead', 'running', 'paused', 'restarting'],
  exec: ['running'],
}

/** Passes when `verb` may act on a container in `status`. Otherwise throws what Docker answers:
 *  `notModified` for starting the started and stopping the stopped, else `conflict`. */
export function checkVerb(verb: Verb, status: ContainerStatus, id: string, name: string): void {
  if (allowed[verb].includes(status)) return
  if (verb === 'start' && status === 'running') throw new BerthError('notModified', 'container already started')
  if (verb === 'stop' && (status === 'exited' || status === 'created')) {
    throw new BerthError('notModified', 'container already stopped')
  }
  // Docker has no status of its own for this one.
  if (verb === 'unpause') throw internal(`Container ${id} is not paused`)
  throw conflict(refusal(verb, status, id, name))
}

/** True when a container in `status` has a process: it runs, or stands still. */
export function isUp(status: ContainerStatus): boolean {
  return status === 'running' || status === 'paused'
}

/** True when a container in `status` runs, stands still or is about to run again: it has not stopped for good. */
export function isActive(status: ContainerStatus): boolean {
  return isUp(status) || status === 'restarting'
}

/** Throws `conflict` unless a container in `status` has a process. */
export function requireRunning({
  id,
  state,
}: {
  readonly id: string
  readonly state: { readonly status: ContainerStatus }
}): void {
  if (!isUp(state.status)) throw conflict(`container ${id} is not running`)
}

function refusal(verb: Verb, status: ContainerStatus, id: string, name: string): string {
  if (status === 'removing') {
    return verb === 'remove' || verb === 'removeForced'
      ? `removal of container ${id} is already in progress`
      : `container ${id} is marked for removal and cannot be used`
  }
  if (status === 'paused') return pausedRefusal(verb, id, name)
  if (status === 'dead') return `container is marked for removal and cannot be started: ${id}`
  switch (verb) {
    case 'remove':
      return status === 'running'
        ? `cannot remove container "/${name}": container is running: stop the container before removing or force remove`
        : `cannot remove container "/${name}": container is ${status}: stop the container before removing or force remove`
    default:
      return status === 'restarting'
        ? `container ${id} is restarting, wait until the container is running`
        : `container ${id} is not running`
  }
}

function pausedRefusal(verb: Verb, id: string, name: string): string {
  switch (verb) {
    case 'start':
      return 'cannot start a paused container, try unpause instead'
    case 'pause':
      return `Container ${id} is already paused`
    case 'exec':
      return `Container ${id} is paused, unpause the container before exec`
    case 'attach':
      return `container ${id} is paused, unpause the container before attach`
    default:
      return `cannot remove container "/${name}": container is paused and must be unpaused first`
  }
}
