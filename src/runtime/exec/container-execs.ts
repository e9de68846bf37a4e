/** Further processes in a running container. */
import { join } from 'node:path'
import type { OutputSink } from '../../base/index.ts'
import type { OciProcess } from '../../oci/index.ts'
import { awaitCgroupMove } from '../../sys/index.ts'
import { bundlePath } from '../bundle/paths.ts'
import type { OciRuntime } from '../oci-runtime/oci-runtime.ts'
import { type ExecHandle, ExecLaunch, type ExecPlan, type ExecTarget, type ExecTrace } from './exec-launch.ts'

/** The process of an exec, and its streams. */
export interface ExecOptions {
  readonly process: OciProcess
  /** True when the caller writes to the process's stdin. Otherwise stdin is a null device. */
  readonly stdin: boolean
  /** Receives the output. Without a sink the output goes to a null device, and the process outlives the daemon. */
  readonly sink?: OutputSink
  /** The process also gets busybox, as `toolsProgram`. */
  readonly tools?: boolean
  /** What `prepare` gave before. Used if it fits the process and still waits, else discarded. */
  readonly prepared?: ExecLaunch | undefined
  readonly trace?: ExecTrace
}

/** Numbers the files of this daemon's execs. */
let count = 0

/** Starts processes in one container. Both methods throw `conflict` when the container does not run. */
export class ContainerExecs {
  readonly #id: string
  readonly #execRoot: string
  readonly #runtime: () => OciRuntime

  /** `runtime` gives the container's OCI runtime, or throws when the container does not run. */
  constructor(id: string, { execRoot, runtime }: { readonly execRoot: string; readonly runtime: () => OciRuntime }) {
    this.#id = id
    this.#execRoot = execRoot
    this.#runtime = runtime
  }

  /** Starts the OCI runtime of an exec that will probably follow. The caller gives the result to `start`, or discards
   *  it. Returns undefined when the runtime can't wait for its process (only crun can). Throws when it can't be
   *  started. */
  prepare(plan: ExecPlan): ExecLaunch | undefined {
    const runtime = this.#runtime()
    return runtime.isCrun ? ExecLaunch.open(this.#target(runtime), plan) : undefined
  }

  /** Runs one more process in the container. Rejects with a typed error when the process can't be started; its
   *  `details.exitCode` is then 127 or 126, if the OCI runtime's message tells. */
  async start(options: ExecOptions): Promise<ExecHandle> {
    using _moving = awaitCgroupMove()
    const target = this.#target(this.#runtime())
    const { process, sink, prepared } = options
    const plan: ExecPlan = {
      terminal: process.terminal,
      stdin: options.stdin,
      output: sink !== undefined,
      tools: options.tools === true,
    }
    const isOfUse = prepared?.isWaiting === true && isSamePlan(prepared.plan, plan)
    if (!isOfUse) prepared?.discard()
    const launch = isOfUse ? prepared : ExecLaunch.open(target, plan, process)
    return await launch.run(process, sink, options.trace)
  }

  #target(runtime: OciRuntime): ExecTarget {
    count += 1
    return {
      id: this.#id,
      runtimePath: runtime.program,
      runtimeArgs: runtime.globalArgs,
      isCrun: runtime.isCrun,
      path: join(bundlePath(this.#execRoot, this.#id), `exec-${process.pid}-${count}.json`),
      toolsHome: this.#execRoot,
    }
  }
}

function isSamePlan(a: ExecPlan, b: ExecPlan): boolean {
  return a.terminal === b.terminal && a.stdin === b.stdin && a.output === b.output && a.tools === b.tools
}
