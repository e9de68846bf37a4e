/** BuildKit's protocol in front of the builder: sessions, the gRPC services, and the build of `POST /build?version=2`. */
import type { Duplex } from 'node:stream'
import { create, toBinary } from '@bufbuild/protobuf'
import { newId } from '../../base/index.ts'
import type { BuildkitBackend, BuildkitSession, SessionBuild } from '../../contract/index.ts'
import { GrpcRoutes } from '../../grpc/index.ts'
import { Content } from './gen/content_pb.ts'
import { Control } from './gen/control_pb.ts'
import { LLBBridge } from './gen/gateway_pb.ts'
import { StatusResponseSchema } from './gen/progress_pb.ts'
import { BuildHistory } from './history/build-history.ts'
import { toSolveError } from './progress/solve-error.ts'
import { contentService } from './services/content-service.ts'
import { controlService } from './services/control-service.ts'
import { gatewayService } from './services/gateway-service.ts'
import { ClientSessions } from './session/client-sessions.ts'
import { BuildResults } from './solve/build-results.ts'
import type { Builder } from './solve/builder.ts'
import type { BuildOutcome } from './solve/running-build.ts'
import { SolveJob } from './solve/solve-job.ts'
import { SolveJobs } from './solve/solve-jobs.ts'

/** Serves BuildKit's protocol over connections that the HTTP server has upgraded. */
export class BuildkitEndpoint implements BuildkitBackend {
  readonly #builder: Builder
  readonly #sessions = new ClientSessions()
  readonly #results = new BuildResults()
  readonly #history = new BuildHistory()
  readonly #routes: GrpcRoutes

  constructor(builder: Builder) {
    this.#builder = builder
    const history = this.#history
    const shared = { sessions: this.#sessions, results: this.#results, history, jobs: new SolveJobs() }
    const parts = { builder, ...shared, workerId: newId().slice(0, 25) }
    this.#routes = new GrpcRoutes()
      .add(Control, controlService(parts))
      .add(LLBBridge, gatewayService(parts))
      .add(Content, contentService(history))
  }

  /** Throws `invalidArgument` for an invalid session description. */
  checkSession(description: BuildkitSession): void {
    this.#sessions.check(description)
  }

  /** Serves a client's session until its connection closes. */
  async serveSession(connection: Duplex, description: BuildkitSession): Promise<void> {
    await this.#sessions.serve(connection, description)
  }

  /** Serves the gRPC services until the connection closes. */
  async serve(connection: Duplex): Promise<void> {
    await this.#routes.serve(connection)
  }

  /** Builds for a client whose files come through a session. Throws `GrpcError`. */
  async build(request: SessionBuild): Promise<BuildOutcome> {
    const { sessionId, attrs, exports, cacheExports, entitlements, archive, signal, onTrace } = request
    const session = await this.#sessions.find(sessionId, signal)
    const options = { frontend: 'dockerfile.v0', attrs, inputs: new Map() }
    const common = { ...options, exports, cacheImports: [], cacheExports, entitlements, session }
    const input = archive === undefined ? common : { ...common, archive }
    const own = { builder: this.#builder, results: this.#results, history: this.#history }
    const job = new SolveJob({ ref: newId().slice(0, 25), ...own, input, signal })
    const told = (async () => {
      for await (const message of job.progress.messages(signal))
        onTrace(toBinary(StatusResponseSchema, create(StatusResponseSchema, message)))
    })()
    try {
      const outcome = await job.builds.start(options).finish()
      job.succeed(outcome.response)
      return outcome
    } catch (error) {
      job.fail(toSolveError(error, undefined))
      throw error
    } finally {
      await job.close()
      await told
    }
  }
}
