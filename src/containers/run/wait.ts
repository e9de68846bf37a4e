/** `POST /containers/{id}/wait`. */
import type { ContainerWaitResponse, WaitCondition } from '../../api/index.ts'
import { type AbortOptions, isKind } from '../../base/index.ts'
import type { WaitHandle } from '../../contract/index.ts'
import type { WaitResult } from '../live/waiters.ts'
import type { ContainerRecord } from '../record/container-record.ts'
import type { Uses } from '../record/dependencies.ts'
import { isActive } from '../record/state.ts'

/** Begins to wait at once, and gives a handle with the promise of the exit code. An abort by the signal rejects the
 *  promise with its reason. A container with `--rm` that ended and was removed within the last minute gives its exit
 *  code at once, for every condition. Throws `notFound` if there is no such container. */
export function waitContainer(
  context: Uses<'containers' | 'live'>,
  idOrName: string,
  condition: WaitCondition,
  abort: AbortOptions = {},
): WaitHandle {
  const record = findOrThrow(context, idOrName)
  if ('exitCode' in record) return { result: Promise.resolve(toResponse(record)) }
  const { id, state } = record
  const live = context.live.of(id)
  if (condition === 'next-exit') return { result: live.nextExit(abort).then(toResponse) }
  if (condition === 'removed') return { result: live.removal(abort).then(toResponse) }
  // As in Docker, a restart policy does not keep the client waiting after the end of a run.
  if (isActive(state.status)) return { result: live.nextEnd(abort).then(toResponse) }
  return { result: Promise.resolve({ StatusCode: state.exitCode }) }
}

/** The container, or the end of one that was just removed. */
function findOrThrow(context: Uses<'containers' | 'live'>, idOrName: string): ContainerRecord | WaitResult {
  try {
    return context.containers.get(idOrName)
  } catch (error) {
    const exitCode = isKind(error, 'notFound') ? context.live.removedExits.find(idOrName) : undefined
    if (exitCode === undefined) throw error
    return { exitCode }
  }
}

function toResponse({ exitCode, error }: WaitResult): ContainerWaitResponse {
  return { StatusCode: exitCode, ...(error === undefined ? {} : { Error: { Message: error } }) }
}
