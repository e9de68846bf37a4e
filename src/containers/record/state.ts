/** The life of a container as one table: which verb is allowed in which status. Pure. Docker's statuses:
 *  https://docs.docker.com/reference/api/engine/ (ContainerState). */
import { BerthError, conflict, internal } from '../../base/index.ts'

/** Docker's statuses of a container. */
export type ContainerStatus = 'created' | 'running' | 'paused' | 'restarting' | 'exited' | 'removing' | 'dead'

/** Verbs that depend on the status. `removeForced` is `rm --force`. */
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

/** Returns if `verb` is allowed in `status`. Otherwise throws Docker's answer: `notModified` for a start of a
 *  running or a stop of a stopped container, `internal` for an unpause of one that is not paused, and `conflict`
 *  for the rest. */
export function checkVerb(verb: Verb, status: ContainerStatus, id: string, name: string): void {
  if (allowed[verb].includes(status)) return
  if (verb === 'start' && status === 'running') throw new BerthError('notModified', 'container already started')
  if (verb === 'stop' && (status === 'exited' || status === 'created')) {
    throw new BerthError('notModified', 'container already stopped')
  }
  // Docker answers with status 500 here.
  if (verb === 'unpause') throw internal(`Container ${id} is not paused`)
  throw conflict(refusal(verb, status, id, name))
}

/** True if a container in `status` has a process: it runs or is paused. */
export function isUp(status: ContainerStatus): boolean {
  return status === 'running' || status === 'paused'
}

/** True if a container in `status` runs, is paused or waits for a restart: it has not stopped for good. */
export function isActive(status: ContainerStatus): boolean {
  return isUp(status) || status === 'restarting'
}

/** Throws `conflict` unless the container runs or is paused. */
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
