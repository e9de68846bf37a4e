/** One stage, instruction by instruction: variables replaced, the configuration after each, and what each one read.
 *  Pure; the base's configuration must be known. */
import type { OciRuntimeDefaults } from '../../../oci/index.ts'
import type { ArgInstruction, Instruction, RunInstruction } from '../instructions/instruction.ts'
import { parseTriggers, type Stage } from '../parse/parse-dockerfile.ts'
import type { EscapeCharacter } from '../text/directives.ts'
import { expandWord, type Lookup } from '../words/expand-word.ts'
import { applyToConfig, argumentsOf, initialImage, type StageImage } from './apply-to-config.ts'
import { expandInstruction } from './expand-instruction.ts'
import { expandAt, type GlobalScope } from './global-scope.ts'
import { environmentOf, runEnvironment, type StageArguments } from './stage-variables.ts'

/** What a stage is built on. */
export interface StageBase {
  /** The parent's configuration; undefined for scratch. */
  readonly config: OciRuntimeDefaults | undefined
  readonly author?: string
  /** The arguments of the parent, when it is a stage of the same file. */
  readonly args?: StageArguments
}

/** One instruction, ready to be carried out. */
export interface Step {
  /** Variables replaced; destinations and mount targets absolute; the defaults of ARG what they came to. */
  readonly instruction: Instruction
  /** It comes from the parent's ONBUILD. */
  readonly triggered: boolean
  /** The variables that its words looked up, with their values; null for those without one. */
  readonly uses: Readonly<Record<string, string | null>>
  /** Those without a value that had no word for that case either. */
  readonly undefinedNames: readonly string[]
  /** Only for RUN: what its process gets, arguments included, the predefined proxies not. */
  readonly environment?: readonly string[]
  /** Only for RUN: the command line. A script is to be put at `scriptDirectory` first. */
  readonly command?: readonly string[]
  /** The image before and after it. */
  readonly before: StageImage
  readonly after: StageImage
}

/** A stage as a list of things to do. */
export interface EvaluatedStage {
  readonly steps: readonly Step[]
  readonly image: StageImage
  /** For the stages that are based on this one. */
  readonly args: StageArguments
}

/** What a stage is evaluated with; `escape` is that of the file. */
export interface EvaluateOptions {
  readonly scope: GlobalScope
  readonly base: StageBase
  readonly escape?: EscapeCharacter
}

/** Where the script of a here-document with `#!` lies during its RUN. */
export const scriptDirectory = '/dev/pipes'

/** Evaluates a stage, the triggers of its base first. Throws `DockerfileError`. */
export function evaluateStage(stage: Pick<Stage, 'instructions'>, options: EvaluateOptions): EvaluatedStage {
  const { base, escape: escaper = '\\' } = options
  const evaluator = new StageEvaluator(options, escaper)
  for (const instruction of parseTriggers(base.config?.OnBuild ?? [])) evaluator.add(instruction, true)
  for (const instruction of stage.instructions) evaluator.add(instruction, false)
  return { steps: evaluator.steps, image: evaluator.image, args: evaluator.args }
}

class StageEvaluator {
  readonly steps: Step[] = []
  readonly args: Map<string, string | undefined>
  image: StageImage
  readonly #scope: GlobalScope
  readonly #escape: EscapeCharacter

  constructor({ scope, base }: EvaluateOptions, escaper: EscapeCharacter) {
    this.#scope = scope
    this.#escape = escaper
    this.args = new Map(base.args ?? [])
    this.image = initialImage(base.config, base.author)
  }

  add(instruction: Instruction, triggered: boolean): void {
    const before = this.image
    const lookup = lookupIn(before.config, this.args)
    const workingDirectory = before.config.WorkingDir ?? '/'
    const expanded =
      instruction.kind === 'ARG'
        ? this.#declare(instruction, lookup)
        : expandInstruction(instruction, lookup, { escape: this.#escape, workingDirectory })
    this.image = applyToConfig(before, expanded.instruction)
    const uses = Object.fromEntries([...expanded.lookedUp].map((name) => [name, lookup(name) ?? null]))
    this.steps.push({
      instruction: expanded.instruction,
      triggered,
      uses,
      undefinedNames: [...expanded.undefinedNames],
      before,
      after: this.image,
      ...(expanded.instruction.kind === 'RUN' ? this.#run(expanded.instruction, before.config) : {}),
    })
  }

  /** A value given by the user, else the default, else the global argument of that name.
   *  All of one instruction's defaults see the variables as they were before it. */
  #declare(instruction: ArgInstruction, lookup: Lookup) {
    const lookedUp = new Set<string>()
    const undefinedNames = new Set<string>()
    const expand = (word: string, offset: number) => {
      const work = () => expandWord(word, lookup, { escape: this.#escape })
      const expansion = expandAt(instruction.line, { text: word, offset }, work)
      for (const name of expansion.lookedUp) lookedUp.add(name)
      for (const name of expansion.undefinedNames) undefinedNames.add(name)
      return expansion.text
    }
    const args = instruction.args.map((arg) => {
      const name = expand(arg.name, arg.offset)
      const fallback = arg.value === undefined ? undefined : expand(arg.value, arg.offset)
      const value = this.#given(name) ?? fallback ?? this.#scope.values.get(name)
      return {
        name,
        offset: arg.offset,
        ...(value === undefined ? {} : { value }),
        ...(fallback === undefined ? {} : { fallback }),
      }
    })
    for (const { name, value } of args) {
      // Declared again without a value, it keeps what it had.
      if (value !== undefined || !this.args.has(name)) this.args.set(name, value)
    }
    return { instruction: { ...instruction, args }, lookedUp, undefinedNames }
  }

  #given(name: string): string | undefined {
    const { buildArgs } = this.#scope
    return Object.hasOwn(buildArgs, name) ? buildArgs[name] : undefined
  }

  #run({ command }: RunInstruction, config: OciRuntimeDefaults) {
    return {
      environment: runEnvironment(config, this.args),
      command: command.form === 'script' ? [`${scriptDirectory}/${command.name}`] : argumentsOf(command, config),
    }
  }
}

function lookupIn(config: OciRuntimeDefaults, args: StageArguments): Lookup {
  const environment = environmentOf(config)
  return (name) => environment.get(name) ?? args.get(name)
}
