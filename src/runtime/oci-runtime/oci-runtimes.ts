/** The configured OCI runtime programs, by the names that containers use. */
import { runtimeRootPath } from '../bundle/paths.ts'
import { currentRuntimeName, noSuchRuntime } from '../programs/runtime-names.ts'
import { OciRuntime, type RuntimeProgram } from './oci-runtime.ts'

/** Which OCI runtimes there are. */
export interface RuntimeSettings {
  /** Programs by the names that containers use. */
  readonly runtimes: Readonly<Record<string, RuntimeProgram>>
  /** A key of `runtimes`. */
  readonly defaultRuntime: string
}

export class OciRuntimes {
  readonly #execRoot: string
  #settings: RuntimeSettings = { runtimes: {}, defaultRuntime: '' }
  #byName: ReadonlyMap<string, OciRuntime> = new Map()
  /** Every program that was ever configured: existing containers keep theirs. */
  readonly #opened = new Map<string, OciRuntime>()

  constructor(execRoot: string) {
    this.#execRoot = execRoot
  }

  /** Applies changed settings. Throws `invalidArgument`, and changes nothing, when a program is not installed. */
  async configure({ runtimes, defaultRuntime }: RuntimeSettings): Promise<void> {
    const byName = new Map<string, OciRuntime>()
    for (const [name, program] of Object.entries(runtimes)) {
      const key = JSON.stringify(program)
      const opened = this.#opened.get(key) ?? (await OciRuntime.open(program, this.#execRoot))
      this.#opened.set(key, opened)
      byName.set(name, opened)
    }
    this.#byName = byName
    this.#settings = { runtimes, defaultRuntime }
  }

  /** The runtime of this name; without a name, the default one. Throws `invalidArgument` for a name that is not
   *  configured. */
  get(name = this.#settings.defaultRuntime): OciRuntime {
    const runtime = this.#byName.get(currentRuntimeName(name))
    if (runtime === undefined) throw noSuchRuntime(name)
    return runtime
  }

  /** The runtime of this name; the default one without a name, or when the name is no longer configured. */
  getOrDefault(name: string | undefined): OciRuntime {
    return this.#byName.get(currentRuntimeName(name ?? '')) ?? this.get()
  }

  /** The state directories of the configured runtimes. */
  roots(): readonly string[] {
    return Object.values(this.#settings.runtimes).map(({ path }) => runtimeRootPath(this.#execRoot, path))
  }

  /** Closes all programs. Idempotent. */
  close(): void {
    for (const runtime of this.#opened.values()) runtime.close()
  }
}
