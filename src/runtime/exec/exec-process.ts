/** One more process in a running container. */
import { join } from 'node:path'
import type { OutputSink } from '../../base/index.ts'
import type { OciProcess } from '../../oci/index.ts'
import type { OciRuntime } from '../oci-runtime/oci-runtime.ts'
import { type ExecHandle, ExecLaunch, type ExecPlan, type ExecTarget, type ExecTrace } from './exec-launch.ts'

export interface ExecOptions {
  readonly process: OciProcess
  /** Whether the process's stdin can be written to; otherwise it is a null device. */
  readonly stdin: boolean
  /** Where its output goes; without one to a null device, and the process outlives the daemon. */
  readonly sink?: OutputSink
  /** The process also gets busybox, as `toolsProgram`. */
  readonly tools?: boolean
  /** A runtime that was started before; used if it fits and still waits, else discarded. */
  readonly prepared?: ExecLaunch | undefined
  readonly trace?: ExecTrace
}

let count = 0

/** The target of one exec. */
export function execTarget(
  id: string,
  runtime: OciRuntime,
  { bundle, execRoot }: { readonly bundle: string; readonly execRoot: string },
): ExecTarget {
  count += 1
  return {
    id,
    runtimePath: runtime.program,
    runtimeArgs: runtime.globalArgs,
    isCrun: runtime.isCrun,
    path: join(bundle, `exec-${process.pid}-${count}.json`),
    toolsHome: execRoot,
  }
}

/** Starts a process. Rejects with a typed error (details.exitCode 126, 127, 125) when it can't be. */
export async function startExec(target: ExecTarget, options: ExecOptions): Promise<ExecHandle> {
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

function isSamePlan(a: ExecPlan, b: ExecPlan): boolean {
  return a.terminal === b.terminal && a.stdin === b.stdin && a.output === b.output && a.tools === b.tools
}
