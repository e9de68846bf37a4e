/** A model of the life of containers: the possible results of concurrent operations. Each operation has steps, which
 *  can interleave with those of the others. The real result must be that of one of the orders. */
import type { TestDaemon } from './daemon.ts'

export type Status = 'created' | 'running' | 'paused' | 'exited' | 'gone'

/** The state after a step; undefined if the step is refused. */
type Step = (status: Status) => Status | undefined

export interface Operation {
  readonly name: string
  readonly steps: readonly Step[]
  /** Sends the request and returns the HTTP status. */
  run(daemon: TestDaemon, id: string): Promise<number>
}

/** The answer to an operation: done, refused, or unknown because the daemon died. */
export type Answer = 'done' | 'refused' | 'lost'

const up = (status: Status) => status === 'running' || status === 'paused'
const start: Step = (status) => (status === 'gone' || status === 'paused' ? undefined : 'running')
/** A paused process is unpaused before it is ended. */
const wake: Step = (status) => (status === 'gone' ? undefined : up(status) ? 'running' : status)
const wakeUp: Step = (status) => (up(status) ? 'running' : undefined)
/** Follows one of these steps; another operation may have ended or removed the container meanwhile. */
const end: Step = (status) => (up(status) ? 'exited' : status)
const remove: Step = (status) => (status === 'gone' || up(status) ? undefined : status)
/** Another operation may have removed it meanwhile. */
const gone: Step = (status) => (up(status) ? undefined : 'gone')
const goneByForce: Step = () => 'gone'
const pause: Step = (status) => (status === 'running' ? 'paused' : undefined)
const unpause: Step = (status) => (status === 'paused' ? 'running' : undefined)
const running: Step = (status) => (status === 'running' ? status : undefined)
const any: Step = (status) => (status === 'gone' ? undefined : status)

/** The end of a container with `--rm`, as seen after all operations. */
const endAndGo: Step = (status) => (up(status) ? 'gone' : status)

/** The operations on a container; `autoRemove`: one with `--rm`. */
export function operations({ autoRemove }: { readonly autoRemove: boolean }): readonly Operation[] {
  const last = autoRemove ? endAndGo : end
  return [
    post('start', 'start', [start]),
    post('stop', 'stop?t=0', [wake, last]),
    post('kill', 'kill', [wakeUp, last]),
    // A --rm container survives the exit that its restart causes; an exit before the restart removes it.
    post('restart', 'restart?t=0', [wake, end, start]),
    post('pause', 'pause', [pause]),
    post('unpause', 'unpause', [unpause]),
    { name: 'rm', steps: [remove, gone], run: (daemon, id) => call(daemon, 'DELETE', `/containers/${id}`) },
    {
      name: 'rm -f',
      steps: [any, end, goneByForce],
      run: (daemon, id) => call(daemon, 'DELETE', `/containers/${id}?force=1`),
    },
    { name: 'rename', steps: [any], run: (daemon, id) => post('', `rename?name=n${newName()}`, []).run(daemon, id) },
    {
      name: 'update',
      steps: [any],
      run: (daemon, id) => call(daemon, 'POST', `/containers/${id}/update`, { PidsLimit: 99 }),
    },
    { name: 'exec', steps: [running, running], run: execTrue },
  ]
}

function post(name: string, path: string, steps: readonly Step[]): Operation {
  return { name, steps, run: (daemon, id) => call(daemon, 'POST', `/containers/${id}/${path}`) }
}

let names = 0

/** A number that no other name uses. */
export function newName(): number {
  names += 1
  return names
}

/** Sends a request, which must succeed or be refused; returns the status. */
export async function call(
  daemon: TestDaemon,
  method: string,
  path: string,
  body?: Record<string, unknown>,
): Promise<number> {
  const { status, text } = await daemon.api(method, path, body)
  // Docker has no better status for this case.
  if (status === 500 && text.includes('is not paused')) return 409
  if (status >= 500) throw new Error(`${method} ${path}: ${status} ${text}`)
  return status
}

async function execTrue(daemon: TestDaemon, id: string): Promise<number> {
  const { status, body } = await daemon.api<{ Id: string }>('POST', `/containers/${id}/exec`, { Cmd: ['true'] })
  if (status !== 201) return status
  const started = await daemon.api('POST', `/exec/${body.Id}/start`, { Detach: true })
  // A container may end while a process starts in it; the answer is then not a success.
  return started.status >= 400 ? 409 : started.status
}

/** The states that these answers allow. A lost operation may have stopped after any of its steps. */
export function statesAfter(before: Status, chosen: readonly Operation[], answers: readonly Answer[]): Set<Status> {
  const found = new Set<Status>()
  const seen = new Set<string>()
  const walk = (now: Status, position: readonly number[], refused: readonly boolean[]): void => {
    const key = JSON.stringify([now, position, refused])
    if (seen.has(key)) return
    seen.add(key)
    const fits = chosen.every(({ steps }, index) => {
      if (answers[index] === 'lost') return true
      return position[index] === steps.length && (answers[index] === 'refused') === refused[index]
    })
    if (fits) found.add(now)
    chosen.forEach(({ steps }, index) => {
      const step = steps[position[index] ?? 0]
      if (step === undefined) return
      const after = step(now)
      // A refused operation makes no further steps.
      const next = after === undefined ? steps.length : (position[index] ?? 0) + 1
      walk(after ?? now, position.with(index, next), refused.with(index, after === undefined))
    })
  }
  walk(before, chosen.map(() => 0), chosen.map(() => false)) // biome-ignore format: one line
  return found
}

/** Creates a container in a state; returns its id. */
export async function prepare(
  daemon: TestDaemon,
  status: Status,
  body: Readonly<Record<string, unknown>> = {},
  hostConfig: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const request = { Image: 'busybox', Cmd: ['sleep', '1000'], ...body }
  const created = await daemon.api<{ Id: string }>('POST', '/containers/create', {
    ...request,
    HostConfig: { NetworkMode: 'none', ...hostConfig },
  })
  if (created.status !== 201) throw new Error(created.text)
  const id = created.body.Id
  const must = async (verb: string) => {
    const answer = await call(daemon, 'POST', `/containers/${id}/${verb}`)
    if (answer !== 204) throw new Error(`${verb}: ${answer}`)
  }
  if (status !== 'created') await must('start')
  if (status === 'exited') await must('kill')
  if (status === 'paused') await must('pause')
  return id
}

/** A container's state now. */
export async function statusOf(daemon: TestDaemon, id: string): Promise<string> {
  const { status, body } = await daemon.api<{ State: { Status: string } }>('GET', `/containers/${id}/json`)
  return status === 404 ? 'gone' : body.State.Status
}
