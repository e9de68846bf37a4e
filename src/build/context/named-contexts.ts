/** `--build-context`: what stands in for stages and images of some names.
 *  https://docs.docker.com/reference/cli/docker/buildx/build/#build-context */
import type { NamedBuildContext } from '../../api/index.ts'
import { invalidArgument } from '../../base/index.ts'
import { familiarReference, parseReference, withDefaultTag } from '../../oci/index.ts'
import type { Dockerfile, Stage } from '../dockerfile/index.ts'

/** A context with the name that its client knows it by. */
export interface NamedContext {
  readonly name: string
  readonly source: NamedBuildContext
}

/** Before a name in a FROM that the Dockerfile doesn't have: no stage and no image is called like that. */
const prefix = 'context:'

/** Finds contexts by names as Dockerfiles have them: `alpine`, `alpine:latest` and `docker.io/library/alpine` are one. */
export class NamedContexts {
  readonly #found = new Map<string, NamedContext>()

  /** Throws `invalidArgument` for a name that the build's own context has. */
  constructor(contexts: Readonly<Record<string, NamedBuildContext>> = {}) {
    for (const [name, source] of Object.entries(contexts)) {
      if (name === 'context') throw invalidArgument(`invalid name of a build context: ${name}`)
      this.#found.set(keyOf(name), { name, source })
    }
  }

  find(name: string): NamedContext | undefined {
    return this.#found.get(keyOf(name.startsWith(prefix) ? name.slice(prefix.length) : name))
  }

  /** The same for those that are files and no image. */
  findFiles(name: string): NamedContext | undefined {
    const found = this.find(name)
    return found?.source.kind === 'local' || found?.source.kind === 'remote' ? found : undefined
  }

  /** What a stage begins with that stands on a context of files. */
  triggersFor(name: string): readonly string[] {
    const found = this.findFiles(name)
    return found === undefined ? [] : [`COPY --from=${prefix}${found.name} / /`]
  }

  /** The Dockerfile with the contexts in place of the stages of their names. */
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
    // Stages have other names than images.
    return name.toLowerCase()
  }
}
