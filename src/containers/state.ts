/** The life of a container as one table: which verb is allowed in which status. Pure.
 *  Docker's statuses: https://docs.docker.com/reference/api/engine/ (ContainerState). */
import { BerthError, conflict } from '../base/index.ts'

export type ContainerStatus = 'created' | 'running' | 'restarting' | 'exited' | 'removing' | 'dead'

export type Verb = 'start' | 'stop' | 'kill' | 'restart' | 'remove' | 'removeForced' | 'exec'

const allowed: Readonly<Record<Verb, readonly ContainerStatus[]>> = {
  start: ['created', 'exited', 'restarting'],
  stop: ['running', 'restarting'],
  kill: ['running', 'restarting'],
  restart: ['created', 'exited', 'running', 'restarting'],
  remove: ['created', 'exited', 'dead'],
  removeForced: ['created', 'exited', 'dead', 'running', 'restarting'],
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
  throw conflict(refusal(verb, status, id, name))
}

/** Throws `conflict` unless a container in `status` runs. */
export function requireRunning({
  id,
  state,
}: {
  readonly id: string
  readonly state: { readonly status: ContainerStatus }
}): void {
  if (state.status !== 'running') throw conflict(`container ${id} is not running`)
}

function refusal(verb: Verb, status: ContainerStatus, id: string, name: string): string {
  if (status === 'removing') {
    return verb === 'remove' || verb === 'removeForced'
      ? `removal of container ${id} is already in progress`
      : `container ${id} is marked for removal and cannot be used`
  }
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
