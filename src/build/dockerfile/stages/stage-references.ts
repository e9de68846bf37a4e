/** Finds the stages and images that a stage refers to. FROM can refer to earlier stages; COPY and mounts to all. */

import { messageOf } from '../../../base/index.ts'
import type { Platform } from '../../../oci/index.ts'
import { parsePlatform } from '../../../oci/index.ts'
import type { FromInstruction, Instruction } from '../instructions/instruction.ts'
import type { Dockerfile, Stage } from '../parse/parse-dockerfile.ts'
import { didYouMean } from '../text/suggest.ts'
import type { Word } from '../text/words.ts'
import { expandWord } from '../words/expand-word.ts'
import { evaluationError, expandAt, type GlobalScope } from './global-scope.ts'

/** What a stage is based on, or what files are copied from: a stage of this Dockerfile, nothing at all, or something
 *  external. External is a named context if there is one with that name, else an image. */
export type StageSource =
  | { readonly kind: 'stage'; readonly index: number }
  | { readonly kind: 'scratch' }
  | { readonly kind: 'external'; readonly name: string }

/** A FROM with variables expanded. */
export interface ResolvedFrom {
  readonly base: StageSource
  /** From `--platform`. Undefined: the target's platform. */
  readonly platform?: Platform
  /** The variables that were used, with their values. */
  readonly uses: Readonly<Record<string, string | null>>
  /** The undefined variables for which the word gave no default. */
  readonly undefinedNames: readonly string[]
}

/** Expands a FROM and finds what it refers to. Throws `DockerfileError` for an empty name and an invalid platform. */
export function resolveFrom(dockerfile: Dockerfile, stage: Stage, scope: GlobalScope): ResolvedFrom {
  const { from } = stage
  const uses = new Map<string, string | null>()
  const undefinedNames = new Set<string>()
  const expand = (word: Word) => {
    const work = () => expandWord(word.text, (one) => scope.values.get(one), { escape: dockerfile.directives.escape })
    const expansion = expandAt(from.line, word, work)
    for (const one of expansion.lookedUp) uses.set(one, scope.values.get(one) ?? null)
    for (const one of expansion.undefinedNames) undefinedNames.add(one)
    return expansion.text
  }
  const name = expand(from.image)
  if (name === '') {
    throw evaluationError(from.line, `base name (${from.image.text}) should not be blank`, from.image.offset)
  }
  const known = dockerfile.stageOf?.(name) ?? name
  const candidates = known === name ? dockerfile.stages.slice(0, stage.index) : dockerfile.stages
  const earlier = candidates.findLast((one) => one.name === known.toLowerCase())
  const platform = from.platform === undefined ? undefined : platformOf(from, expand(from.platform), scope)
  return {
    base: baseOf(name, earlier),
    ...(platform === undefined ? {} : { platform }),
    uses: Object.fromEntries(uses),
    undefinedNames: [...undefinedNames],
  }
}

function baseOf(name: string, earlier: Stage | undefined): StageSource {
  if (earlier !== undefined) return { kind: 'stage', index: earlier.index }
  return name === 'scratch' ? { kind: 'scratch' } : { kind: 'external', name }
}

function platformOf(from: FromInstruction, text: string, scope: GlobalScope): Platform {
  const written = from.platform?.text ?? ''
  if (text === '') {
    const [, name = ''] = /^\$\{?(\w+)/.exec(written) ?? []
    const hint = didYouMean(name, scope.declared)
    throw evaluationError(from.line, `empty platform value from expression ${written}${hint}`, from.platform?.offset)
  }
  try {
    return parsePlatform(text)
  } catch (cause) {
    const problem = `failed to parse platform ${text}: ${messageOf(cause)}`
    throw evaluationError(from.line, problem, from.platform?.offset, cause)
  }
}

/** The names in `COPY --from=` and `RUN --mount=…,from=` of an instruction, with their places. Throws `DockerfileError`
 *  for a name with a variable, because variables are not expanded there. */
export function referencesOf(instruction: Instruction): readonly Word[] {
  if (instruction.kind === 'COPY') {
    const { from, line } = instruction
    if (from?.text.includes('$') === true) {
      const hint = 'define a new stage with FROM using ARG from global scope as a workaround'
      throw evaluationError(line, `variable expansion is not supported for --from, ${hint}`, from.offset)
    }
    return from === undefined ? [] : [from]
  }
  if (instruction.kind !== 'RUN') return []
  return instruction.mounts.flatMap((mount, index) => {
    if ((mount.type !== 'bind' && mount.type !== 'cache') || mount.from === undefined) return []
    return [{ text: mount.from, offset: instruction.mountFlags[index]?.offset ?? 0 }]
  })
}

/** Finds what such a name refers to: a stage's name or index, else something external. Throws `DockerfileError` for an
 *  index without a stage. */
export function resolveReference(dockerfile: Dockerfile, instruction: Instruction, reference: Word): StageSource {
  const text = reference.text
  if (/^[-+]?\d+$/.test(text)) {
    const index = Number(text)
    if (dockerfile.stages[index] !== undefined) return { kind: 'stage', index }
    throw evaluationError(instruction.line, `invalid stage index ${index}`, reference.offset)
  }
  const known = dockerfile.stageOf?.(text) ?? text
  const named = dockerfile.stages.findLast((one) => one.name === known.toLowerCase())
  if (named !== undefined) return { kind: 'stage', index: named.index }
  return text === 'scratch' ? { kind: 'scratch' } : { kind: 'external', name: text }
}
