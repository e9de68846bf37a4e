/** The OCI runtime programs that containers may name. */

import { runtimeRootPath } from '../bundle/paths.ts'
import { currentRuntimeName, noSuchRuntime } from '../programs/runtime-names.ts'
import { OciRuntime, type RuntimeProgram } from './oci-runtime.ts'

export interface RuntimeSettings {
  /** Programs by the names that containers use. */
  readonly runtimes: Readonly<Record<string, RuntimeProgram>>
  readonly defaultRuntime: string
}

export class OciRuntimes {
  readonly #execRoot: string
  #settings: RuntimeSettings = { runtimes: {}, defaultRuntime: '' }
  #byName: ReadonlyMap<string, OciRuntime> = new Map()
  /** Every program that was ever configured: containers hold on to theirs. */
  readonly #opened = new Map<string, OciRuntime>()

  constructor(execRoot: string) {
    this.#execRoot = execRoot
  }

  /** Takes over changed settings. Throws `invalidArgument` when a program is not there; nothing has changed then. */
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

  /** The default one without a name. Throws `invalidArgument` for a name that nobody configured. */
  get(name = this.#settings.defaultRuntime): OciRuntime {
    const runtime = this.#byName.get(currentRuntimeName(name))
    if (runtime === undefined) throw noSuchRuntime(name)
    return runtime
  }

  /** The default one without a name, and in place of one that is configured no more. */
  getOrDefault(name: string | undefined): OciRuntime {
    return this.#byName.get(currentRuntimeName(name ?? '')) ?? this.get()
  }

  /** Where the configured ones keep what they know of containers. */
  roots(): readonly string[] {
    return Object.values(this.#settings.runtimes).map(({ path }) => runtimeRootPath(this.#execRoot, path))
  }

  /** Idempotent. */
  close(): void {
    for (const runtime of this.#opened.values()) runtime.close()
  }
}
