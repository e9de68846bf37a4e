/** Compiled system call filters. libseccomp takes 15 ms to compile the default profile, at every start; crun leaves
 *  the result in its state directory and takes it back through an annotation. So each filter is compiled once per
 *  daemon, by the first container that uses it. Kept in memory only: another kernel or libseccomp may compile
 *  differently.
 *  https://github.com/containers/crun/blob/main/crun.1.md#runociseccomp_bpf_datadata */
import type { OciSeccomp } from '../oci/index.ts'
import type { CompiledFilter } from './build-spec.ts'

const annotation = 'run.oci.seccomp_bpf_data'
/** Filters differ by capability set and custom profile; a bound for those who make many. */
const maxFilters = 64

export class SeccompCache {
  readonly #filters = new Map<string, CompiledFilter>()

  find(seccompJson: string | undefined): CompiledFilter | undefined {
    return seccompJson === undefined ? undefined : this.#filters.get(seccompJson)
  }

  /** Remembers what the runtime made of a `linux.seccomp`. */
  add(seccompJson: string, compiled: Buffer): void {
    if (compiled.length === 0) return
    if (this.#filters.size >= maxFilters) this.#filters.clear()
    // The section stays with its flags but without rules: a runtime that did not know the annotation would then
    // let nothing through, not everything.
    const { syscalls: _, ...section } = JSON.parse(seccompJson) as OciSeccomp
    this.#filters.set(seccompJson, {
      annotation,
      data: compiled.toString('base64'),
      seccompJson: JSON.stringify(section),
    })
  }
}
