/** `moby.buildkit.v1.Control`: the service that buildx and compose expect of BuildKit. */
import { Duplex } from 'node:stream'
import { BerthError, invalidArgument, notImplemented } from '../../../base/index.ts'
import type { BuildkitEntry } from '../../../contract/index.ts'
import type { Handlers, ServerCall } from '../../../grpc/index.ts'
import type { BytesMessage, Control, SolveRequest } from '../gen/control_pb.ts'
import type { BuildHistory } from '../history/build-history.ts'
import type { BuildRecord } from '../history/build-record.ts'
import type { StatusMessage } from '../progress/build-progress.ts'
import { toSolveError } from '../progress/solve-error.ts'
import type { ClientSessions } from '../session/client-sessions.ts'
import type { BuildResults } from '../solve/build-results.ts'
import type { Builder } from '../solve/builder.ts'
import type { ExporterResponse } from '../solve/running-build.ts'
import { SolveJob } from '../solve/solve-job.ts'
import type { SolveJobs } from '../solve/solve-jobs.ts'
import { matchesFilters, toPruneOptions, toUsageRecord } from './cache-usage.ts'
import { listenHistory, updateHistory } from './history-calls.ts'
import { buildkitVersion, workerRecord } from './worker-record.ts'

/** How many log lines one message contains. Each line is at most a few KiB. */
const logsAtOnce = 50

/** What the service works with. */
export interface ControlParts {
  readonly builder: Builder
  readonly sessions: ClientSessions
  readonly jobs: SolveJobs
  readonly results: BuildResults
  readonly history: BuildHistory
  readonly workerId: string
}

/** The methods of the service. */
export function controlService(parts: ControlParts): Handlers<typeof Control> {
  const { builder, sessions, jobs, history, workerId } = parts
  return {
    solve: async (request, call) => ({ exporterResponse: { ...(await solve(parts, request, call)) } }),
    async *status({ ref }, { signal }) {
      const past = history.find(ref)
      if (past?.isOver === true) return yield* pastStatus(past)
      const job = await jobs.find(ref, signal)
      yield* job.progress.messages(signal)
    },
    async *session(inputs, { metadata, signal }) {
      const text = (name: string) => String(metadata[name] ?? '')
      const methods = metadata['x-docker-expose-session-grpc-method'] ?? []
      const description = {
        id: text('x-docker-expose-session-uuid'),
        sharedKey: text('x-docker-expose-session-sharedkey'),
        methods: typeof methods === 'string' ? methods.split(/,\s*/) : methods,
      }
      sessions.check(description)
      const { connection, outputs } = tunnel(inputs, signal)
      sessions.serve(connection, description).catch((error: Error) => connection.destroy(error))
      yield* outputs
    },
    listWorkers: async () => ({ record: [workerRecord(workerId, builder.policy())] }),
    info: async () => ({ buildkitVersion }),
    diskUsage: async ({ filter }) => {
      const records = await builder.usage()
      return { record: records.filter((record) => matchesFilters(record, filter)).map(toUsageRecord) }
    },
    async *prune(request) {
      const before = await builder.usage()
      const options = toPruneOptions(request, before)
      const gone = new Set(options === undefined ? [] : (await builder.prune(options)).CachesDeleted)
      for (const record of before) if (gone.has(record.ID)) yield toUsageRecord(record)
    },
    listenBuildHistory: (request, { signal }) => listenHistory(history, request, signal),
    updateBuildHistory: async (request) => {
      updateHistory(history, request)
      return {}
    },
  }
}

async function solve(
  { builder, sessions, jobs, results, history }: ControlParts,
  request: SolveRequest,
  call: ServerCall,
): Promise<ExporterResponse> {
  const { ref, frontend, frontendAttrs, cache, entitlements, sourcePolicy, internal } = request
  if (ref === '') throw invalidArgument('the build has no ref')
  if (sourcePolicy.length > 0) throw notImplemented('source policies')
  const session = await sessions.find(request.session, call.signal)
  const input = {
    frontend,
    attrs: frontendAttrs,
    exports: exportsOf(request),
    cacheImports: [...(cache?.imports ?? []), ...(cache?.importRefs ?? []).map(registryCache)],
    cacheExports: cache?.exports ?? [],
    entitlements,
    inputs: new Map(),
    session,
  }
  // Internal builds, which clients run for themselves, do not show up in the history.
  const job = new SolveJob({ ref, builder, results, ...(internal ? {} : { history }), input, signal: call.signal })
  jobs.add(job)
  try {
    if (frontend !== '') {
      const inputs = await job.builds.inputsOf(request.frontendInputs)
      job.decide({ refs: [job.builds.start({ frontend, attrs: frontendAttrs, inputs }).id] })
    } else if (request.definition !== undefined && request.definition.def.length > 0)
      job.decide({ refs: [job.builds.startDefinition(request.definition)] })
    return await job.conclude()
  } catch (error) {
    const failure = toSolveError(error, undefined)
    job.fail(failure)
    throw failure
  } finally {
    await job.close()
    jobs.remove(job)
  }
}

/** The messages of a finished build, in parts of a size that clients accept. */
function* pastStatus(record: BuildRecord): Generator<StatusMessage> {
  const { vertexes = [], statuses = [], warnings = [], logs = [] } = record.transcript.read() ?? {}
  yield { vertexes, statuses, warnings }
  for (let at = 0; at < logs.length; at += logsAtOnce) yield { logs: logs.slice(at, at + logsAtOnce) }
}

function exportsOf({ exporters, exporter, exporterAttrs }: SolveRequest): readonly BuildkitEntry[] {
  if (exporters.length > 0) return exporters.map(({ type, attrs }) => ({ type, attrs }))
  return exporter === '' ? [] : [{ type: exporter, attrs: exporterAttrs }]
}

function registryCache(ref: string) {
  return { type: 'registry', attrs: { ref } }
}

/** A connection that is tunneled through a call. */
function tunnel(inputs: AsyncIterable<BytesMessage>, signal: AbortSignal) {
  const incoming = inputs[Symbol.asyncIterator]()
  const outgoing: Buffer[] = []
  let taken = () => {}
  let wake = Promise.withResolvers<void>()
  let isOver = false
  const end = () => {
    isOver = true
    wake.resolve()
  }
  const connection = new Duplex({
    read() {
      incoming.next().then(
        ({ done, value }) => this.push(done === true ? null : Buffer.from(value.data)),
        (error: Error) => this.destroy(error),
      )
    },
    write(chunk: Buffer, _encoding, done) {
      outgoing.push(chunk)
      taken = done
      wake.resolve()
    },
    final(done) {
      end()
      done()
    },
    destroy(error, done) {
      end()
      done(error)
    },
  })
  connection.on('error', () => {})
  signal.addEventListener('abort', () => connection.destroy(new BerthError('cancelled', 'context canceled')))
  async function* outputs() {
    for (;;) {
      for (const chunk of outgoing.splice(0)) {
        yield { data: chunk }
        taken()
      }
      if (isOver) return
      await wake.promise
      wake = Promise.withResolvers()
    }
  }
  return { connection, outputs: outputs() }
}
