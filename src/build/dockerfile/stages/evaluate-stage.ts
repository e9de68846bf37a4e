/** Evaluates a stage, instruction by instruction: expands variables, computes the configuration after each instruction,
 *  and notes the variables that it read. Pure; the base's configuration must be known. */
import type { OciRuntimeDefaults } from '../../../oci/index.ts'
import type { ArgInstruction, Instruction, RunInstruction } from '../instructions/instruction.ts'
import { parseTriggers, type Stage } from '../parse/parse-dockerfile.ts'
import type { EscapeCharacter } from '../text/directives.ts'
import { expandWord, type Lookup } from '../words/expand-word.ts'
import { applyToConfig, argumentsOf, initialImage, type StageImage } from './apply-to-config.ts'
import { expandInstruction } from './expand-instruction.ts'
import { expandAt, type GlobalScope } from './global-scope.ts'
import { environmentOf, runEnvironment, type StageArguments } from './stage-variables.ts'

/** What a stage is based on. */
export interface StageBase {
  /** The parent's configuration. Undefined for scratch. */
  readonly config: OciRuntimeDefaults | undefined
  readonly author?: string
  /** The parent's arguments, when the parent is a stage of the same file. */
  readonly args?: StageArguments
}

/** An instruction that is ready to run. */
export interface Step {
  /** The instruction with variables expanded, destinations and mount targets absolute, and the values of ARG. */
  readonly instruction: Instruction
  /** It comes from the parent's ONBUILD. */
  readonly triggered: boolean
  /** The variables that its words looked up, with their values; null for undefined ones. */
  readonly uses: Readonly<Record<string, string | null>>
  /** The undefined variables for which the word gave no default. */
  readonly undefinedNames: readonly string[]
  /** Only for RUN: the environment of the process, with arguments but without predefined proxies. */
  readonly environment?: readonly string[]
  /** Only for RUN: the command line. A script must be placed in `scriptDirectory` first. */
  readonly command?: readonly string[]
  /** The configuration before and after the instruction. */
  readonly before: StageImage
  readonly after: StageImage
}

/** A stage as a list of steps. */
export interface EvaluatedStage {
  readonly steps: readonly Step[]
  readonly image: StageImage
  /** The arguments for stages based on this one. */
  readonly args: StageArguments
}

/** What a stage is evaluated with. `escape` is the file's escape character. */
export interface EvaluateOptions {
  readonly scope: GlobalScope
  readonly base: StageBase
  readonly escape?: EscapeCharacter
}

/** The directory of a here-document's script while its RUN runs. */
export const scriptDirectory = '/dev/pipes'

/** Evaluates a stage, beginning with the triggers of its base. Throws `DockerfileError`. */
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

  /** Gives an argument the user's value, else its default, else the value of the global argument with that name. All
   *  defaults in one instruction see the variables from before the instruction. */
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
      // An argument that is declared again without a value keeps its value.
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
