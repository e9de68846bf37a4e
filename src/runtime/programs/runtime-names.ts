/** Names that `--runtime` accepts: configured names and, as with Docker, names of containerd's shims.
 *  https://docs.docker.com/engine/daemon/alternative-runtimes/ */
import { BerthError } from '../../base/index.ts'

/** What Docker and containerd called runc before `io.containerd.runc.v2`. */
const earlierNames: ReadonlySet<string> = new Set(['io.containerd.runc.v1', 'io.containerd.runtime.v1.linux'])

/** The configured name for a runtime: translates Docker's earlier names of runc. */
export function currentRuntimeName(name: string): string {
  return earlierNames.has(name) ? 'io.containerd.runc.v2' : name
}

/** True for a name that containerd accepts for a shim: it contains a dot, does not begin with one, and has no slash. */
export function isShimName(name: string): boolean {
  return /^[^./][^/]*\.[^/]*$/.test(name)
}

/** The error for starting a container whose runtime is not configured. */
export function noSuchRuntime(name: string): BerthError {
  if (!isShimName(name)) return new BerthError('invalidArgument', `unknown or invalid runtime name: ${name}`)
  return new BerthError(
    'invalidArgument',
    'failed to create task for container: failed to start shim: failed to resolve runtime path: ' +
      `runtime "${name}": shims of containerd are not supported; runtimes are programs (--add-runtime)`,
  )
}
