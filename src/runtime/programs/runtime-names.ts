/** Names that containers may give for their runtime: those of the configuration, and those of containerd's shims, which
 *  Docker takes as well. https://docs.docker.com/engine/daemon/alternative-runtimes/ */
import { BerthError } from '../../base/index.ts'

/** What Docker and containerd called runc before `io.containerd.runc.v2`. */
const earlierNames: ReadonlySet<string> = new Set(['io.containerd.runc.v1', 'io.containerd.runtime.v1.linux'])

/** The name that the configuration has for a runtime. */
export function currentRuntimeName(name: string): string {
  return earlierNames.has(name) ? 'io.containerd.runc.v2' : name
}

/** True for a text that containerd takes as the name of a shim: one with a dot that is not its first letter, and no
 *  slash. */
export function isShimName(name: string): boolean {
  return /^[^./][^/]*\.[^/]*$/.test(name)
}

/** The error of a start by a runtime that the configuration does not have. */
export function noSuchRuntime(name: string): BerthError {
  if (!isShimName(name)) return new BerthError('invalidArgument', `unknown or invalid runtime name: ${name}`)
  return new BerthError(
    'invalidArgument',
    'failed to create task for container: failed to start shim: failed to resolve runtime path: ' +
      `runtime "${name}": shims of containerd are not supported; runtimes are programs (--add-runtime)`,
  )
}
