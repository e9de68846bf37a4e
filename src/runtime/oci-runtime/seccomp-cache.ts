/** Compiled system call filters. libseccomp takes 12 ms to compile the default profile, and crun would do that at every
 *  start. But crun also accepts a compiled filter in an annotation, so the daemon compiles each filter once. Filters
 *  are kept in memory only, because another kernel or libseccomp may compile differently.
 *  https://github.com/containers/crun/blob/main/crun.1.md#runociseccomp_bpf_datadata */
import type { OciSeccomp } from '../../oci/index.ts'
import { compileSeccomp } from '../../sys/index.ts'
import type { CompiledFilter } from '../spec/build-spec.ts'

/** The annotation's name. A program that knows the annotation contains this string. */
export const compiledFilterAnnotation = 'run.oci.seccomp_bpf_data'
/** Filters differ by capability set and custom profile. The bound limits memory when users choose many. */
const maxFilters = 64

export class SeccompCache {
  /** By the JSON of `linux.seccomp`. Undefined: the runtime has to compile the filter. */
  readonly #filters = new Map<string, CompiledFilter | undefined>()

  /** The compiled filter of a `linux.seccomp`. Undefined when the host has no libseccomp, or one that rejects the
   *  rules. */
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
  // The section keeps its flags but loses its rules. A runtime that ignores the annotation then allows nothing, instead
  // of everything.
  const { syscalls: _, ...section } = seccomp
  return {
    annotation: compiledFilterAnnotation,
    data: program.toString('base64'),
    seccompJson: JSON.stringify(section),
  }
}
