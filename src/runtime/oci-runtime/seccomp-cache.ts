/** Compiled system call filters. libseccomp takes 12 ms to compile the default profile; crun would do that at every start,
 *  and takes one that is compiled through an annotation. So each filter is compiled once per daemon. Kept in memory only:
 *  another kernel or libseccomp may compile differently.
 *  https://github.com/containers/crun/blob/main/crun.1.md#runociseccomp_bpf_datadata */
import type { OciSeccomp } from '../../oci/index.ts'
import { compileSeccomp } from '../../sys/index.ts'
import type { CompiledFilter } from '../spec/build-spec.ts'

/** The name of the annotation, which a program that knows it has among its strings. */
export const compiledFilterAnnotation = 'run.oci.seccomp_bpf_data'
/** Filters differ by capability set and custom profile; a bound for those who make many. */
const maxFilters = 64

export class SeccompCache {
  /** Undefined: the runtime has to compile it. */
  readonly #filters = new Map<string, CompiledFilter | undefined>()

  /** The filter that a `linux.seccomp` comes to. Undefined where the host has no libseccomp for us, or one that does not
   *  take the rules. */
  compiled(seccompJson: string): CompiledFilter | undefined {
    if (this.#filters.has(seccompJson)) return this.#filters.get(seccompJson)
    const filter = compile(seccompJson)
    if (this.#filters.size >= maxFilters) this.#filters.clear()
    this.#filters.set(seccompJson, filter)
    return filter
  }
}

function compile(seccompJson: string): CompiledFilter | undefined {
  const seccomp = JSON.parse(seccompJson) as OciSeccomp
  const program = compileSeccomp(seccomp)
  if (program === undefined) return undefined
  // The section stays with its flags but without rules: a runtime that did not know the annotation would then
  // let nothing through, not everything.
  const { syscalls: _, ...section } = seccomp
  return {
    annotation: compiledFilterAnnotation,
    data: program.toString('base64'),
    seccompJson: JSON.stringify(section),
  }
}
