/** `Control.ListenBuildHistory` and `Control.UpdateBuildHistory`. */
import type { MessageInitShape } from '@bufbuild/protobuf'
import { invalidArgument } from '../../../base/index.ts'
import type { BuildHistoryEventSchema, BuildHistoryRequest, UpdateBuildHistoryRequest } from '../gen/control_pb.ts'
import { type BuildHistory, type HistoryChange, historyEvent } from '../history/build-history.ts'
import type { BuildRecord } from '../history/build-record.ts'

type HistoryMessage = MessageInitShape<typeof BuildHistoryEventSchema>

/** Gives the records that match, then their changes until the client disconnects. With `earlyExit` only the records. */
export async function* listenHistory(
  history: BuildHistory,
  request: BuildHistoryRequest,
  signal: AbortSignal,
): AsyncGenerator<HistoryMessage, void, undefined> {
  const { activeOnly, ref, earlyExit, filter, limit } = request
  const matches = compileFilters(filter)
  const isMeant = (record: BuildRecord) => (ref === '' || record.ref === ref) && matches(record)
  const queue: HistoryChange[] = []
  let wake = Promise.withResolvers<void>()
  using _watch = history.watch((change) => {
    queue.push(change)
    wake.resolve()
  })
  const all = history.records().filter((record) => isMeant(record) && !(activeOnly && record.isOver))
  // `limit` selects the newest records.
  for (const record of limit > 0 ? all.slice(-limit) : all)
    yield messageOf({ type: record.isOver ? historyEvent.complete : historyEvent.started, record })
  if (earlyExit) return
  signal.addEventListener('abort', () => wake.resolve(), { once: true })
  while (!signal.aborted) {
    for (const change of queue.splice(0)) if (isMeant(change.record)) yield messageOf(change)
    await wake.promise
    wake = Promise.withResolvers()
    if (queue.length > 0) wake.resolve()
  }
}

/** Removes a record, or pins or unpins it. Throws `notFound`. `finalize` does nothing, because a record is complete
 *  when its build ends. */
export function updateHistory(history: BuildHistory, request: UpdateBuildHistoryRequest): void {
  const { ref, pinned, delete: isRemoval, finalize } = request
  if (isRemoval) history.remove(ref)
  else if (!finalize) history.pin(ref, pinned)
}

function messageOf({ type, record }: HistoryChange): HistoryMessage {
  return { type, record: record.toMessage() }
}

/** Each filter is a list of conditions: `status==error,ref~=ab`. A record matches when all conditions of one filter
 *  hold. */
function compileFilters(filters: readonly string[]): (record: BuildRecord) => boolean {
  const lists = filters.map((text) => text.split(',').map(compileCondition))
  return (record) => lists.length === 0 || lists.some((conditions) => conditions.every((holds) => holds(record)))
}

function compileCondition(text: string): (record: BuildRecord) => boolean {
  const [, name = '', operator = '', value = ''] = /^(ref|status|repository)(==|!=|~=)(.*)$/s.exec(text) ?? []
  if (name === '') throw invalidArgument(`invalid filter ${JSON.stringify(text)} for the history of builds`)
  const wanted = value.replace(/^(["/|])(.*)\1$/s, '$2')
  const memberOf = ({ ref, status, repository }: BuildRecord) => ({ ref, status, repository })[name]
  if (operator !== '~=') return (record) => (memberOf(record) === wanted) === (operator === '==')
  let pattern: RegExp
  try {
    pattern = new RegExp(wanted)
  } catch (cause) {
    throw invalidArgument(`invalid pattern ${JSON.stringify(wanted)} in a filter`, { cause })
  }
  return (record) => pattern.test(memberOf(record) ?? '')
}
