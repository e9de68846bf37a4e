/** Named contexts (`--build-context`), which replace stages and images with the same names.
 *  https://docs.docker.com/reference/cli/docker/buildx/build/#build-context */
import type { NamedBuildContext } from '../../api/index.ts'
import { invalidArgument } from '../../base/index.ts'
import { familiarReference, parseReference, withDefaultTag } from '../../oci/index.ts'
import type { Dockerfile, Stage } from '../dockerfile/index.ts'

/** A context, and the name that the client uses for it. */
export interface NamedContext {
  readonly name: string
  readonly source: NamedBuildContext
}

/** Put before a context's name in FROM. No stage and no image can have such a name. */
const prefix = 'context:'

/** Finds contexts by the names in a Dockerfile. `alpine`, `alpine:latest` and `docker.io/library/alpine` are the same
 *  name. */
export class NamedContexts {
  readonly #found = new Map<string, NamedContext>()

  /** Throws `invalidArgument` for a context that is named like the build's own context. */
  constructor(contexts: Readonly<Record<string, NamedBuildContext>> = {}) {
    for (const [name, source] of Object.entries(contexts)) {
      if (name === 'context') throw invalidArgument(`invalid name of a build context: ${name}`)
      this.#found.set(keyOf(name), { name, source })
    }
  }

  /** The context that replaces the stage or image with that name. */
  find(name: string): NamedContext | undefined {
    return this.#found.get(keyOf(name.startsWith(prefix) ? name.slice(prefix.length) : name))
  }

  /** Like `find`, but only for contexts that are files, not images. */
  findFiles(name: string): NamedContext | undefined {
    const found = this.find(name)
    return found?.source.kind === 'local' || found?.source.kind === 'remote' ? found : undefined
  }

  /** The instructions that a stage runs first when its FROM names a context of files: a COPY of everything. */
  triggersFor(name: string): readonly string[] {
    const found = this.findFiles(name)
    return found === undefined ? [] : [`COPY --from=${prefix}${found.name} / /`]
  }

  /** Gives the Dockerfile with stages replaced by the contexts of the same names. */
  applyTo(dockerfile: Dockerfile): Dockerfile {
    if (this.#found.size === 0) return dockerfile
    const aliases = new Map<string, string>()
    for (const [key, { source }] of this.#found) if (source.kind === 'stage') aliases.set(key, source.stage)
    const replaced = (stage: Stage): Stage => {
      const found = stage.name === undefined ? undefined : this.#found.get(stage.name)
      if (found === undefined) return stage
      const { image: written } = stage.from
      const text = found.source.kind === 'stage' ? found.source.stage : `${prefix}${found.name}`
      return { ...stage, from: { ...stage.from, image: { ...written, text } }, instructions: [] }
    }
    return {
      ...dockerfile,
      stages: dockerfile.stages.map(replaced),
      stageOf: (name) => aliases.get(keyOf(name)) ?? name,
    }
  }
}

function keyOf(name: string): string {
  try {
    const reference = parseReference(name)
    if (reference.digest !== undefined) return name
    return familiarReference(withDefaultTag(reference)).replace(/:latest$/, '')
  } catch {
    // Not a valid image name, so it can only be a stage's. Those are compared in lower case.
    return name.toLowerCase()
  }
}
