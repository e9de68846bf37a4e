/** Runs the build checks over a Dockerfile. https://docs.docker.com/build/checks/ */
import { invalidArgument } from '../../../base/index.ts'
import type { Platform } from '../../../oci/index.ts'
import type { Dockerfile, Stage } from '../parse/parse-dockerfile.ts'
import type { IgnoreMatcher } from '../paths/ignore-file.ts'
import { evaluateGlobals, type GlobalScope } from '../stages/global-scope.ts'
import { type CheckOptions, parseCheckOptions } from '../text/check-options.ts'
import { excerptOf } from '../text/dockerfile-error.ts'
import type { Position, SourceRange } from '../text/source-text.ts'
import { formRules } from './form-rules.ts'
import { baseImagePlatformRule, baseImagePlatformWarning, fromRules } from './from-rules.ts'
import { namingRules } from './naming-rules.ts'
import type { Rule, Violation } from './rule.ts'
import { type BaseConfigs, stageFacts } from './stage-facts.ts'
import { stageRules } from './stage-rules.ts'

/** All rules, in the order of Docker's list as far as the order matters. */
export const checkRules: readonly Rule[] = [...namingRules, ...formRules, ...fromRules, ...stageRules]

/** One violation of one rule, with its place in the file. */
export interface CheckWarning {
  /** The rule's name, as `skip` accepts it. */
  readonly rule: string
  readonly description: string
  readonly message: string
  readonly file: string
  /** The page that explains the rule. */
  readonly url: string
  readonly range: SourceRange
  readonly at: Position
  /** The lines with the place marked. */
  readonly excerpt: string
}

/** What is known beside the Dockerfile. Everything is optional. */
export interface CheckDockerfileOptions {
  /** From `evaluateGlobals`. Its build argument BUILDKIT_DOCKERFILE_CHECK replaces the file's check directive. */
  readonly scope?: GlobalScope
  readonly ignore?: IgnoreMatcher
  /** Configurations of base images. With them, every undefined variable is found. */
  readonly baseConfigs?: BaseConfigs
}

/** The result of the checks. */
export interface CheckResult {
  /** Sorted by line. */
  readonly warnings: readonly CheckWarning[]
  /** Set when `error=true` and there are warnings: the rules because of which the build must fail. */
  readonly failedRules?: readonly string[]
}

/** The message of a build that fails because of these rules. Each rule is named once. */
export function checkFailure(rules: readonly string[]): string {
  return `lint violation found for rules: ${[...new Set(rules)].join(', ')}`
}

/** Checks a Dockerfile. Throws `DockerfileError` for a file that can't be built, `invalidArgument` for bad options in
 *  BUILDKIT_DOCKERFILE_CHECK. */
export function checkDockerfile(dockerfile: Dockerfile, options: CheckDockerfileOptions = {}): CheckResult {
  const scope = options.scope ?? evaluateGlobals(dockerfile)
  const settings = settingsOf(dockerfile, scope)
  const stages = stageFacts(dockerfile, scope, options.baseConfigs ?? (() => undefined))
  const ignore = options.ignore === undefined ? {} : { ignore: options.ignore }
  const context = { dockerfile, scope, stages, ...ignore }
  const warnings = checkRules
    .filter((rule) => isOn(rule, settings))
    .flatMap((rule) => [...rule.find(context)].map((violation) => warningOf(rule, violation)))
    .sort((a, b) => a.range.start.line - b.range.start.line)
  const failed = settings.error && warnings.length > 0
  const rules = [...new Set(warnings.map((one) => one.rule))]
  return { warnings, ...(failed ? { failedRules: rules } : {}) }
}

/** A base image for another platform than its stage. */
export interface ForeignBase {
  readonly stage: Stage
  readonly name: string
  readonly pulled: Platform
  readonly expected: Platform
}

/** Checks the platforms of base images, once the images are known. Gives the same as `checkDockerfile`. */
export function checkBasePlatforms(
  dockerfile: Dockerfile,
  scope: GlobalScope,
  bases: readonly ForeignBase[],
): CheckResult {
  const settings = settingsOf(dockerfile, scope)
  if (bases.length === 0 || !isOn(baseImagePlatformRule, settings)) return { warnings: [] }
  const warnings = bases.map(({ stage, name, pulled, expected }) => {
    const message = baseImagePlatformWarning(name, pulled, expected)
    return warningOf(baseImagePlatformRule, { line: stage.from.line, message })
  })
  return { warnings, ...(settings.error ? { failedRules: [baseImagePlatformRule.name] } : {}) }
}

function settingsOf(dockerfile: Dockerfile, scope: GlobalScope): CheckOptions {
  const given = scope.buildArgs.BUILDKIT_DOCKERFILE_CHECK
  if (given === undefined) return dockerfile.directives.check
  const options = parseCheckOptions(given)
  if (typeof options === 'string') throw invalidArgument(options)
  return options
}

function isOn(
  { name, experimental }: Pick<Rule, 'name' | 'experimental'>,
  { skip, experimental: wanted }: CheckOptions,
): boolean {
  if (experimental === true && !wanted.includes(name) && !wanted.includes('all')) return false
  return !skip.includes(name) && !skip.includes('all')
}

function warningOf(rule: Pick<Rule, 'name' | 'description'>, { line, message, offset }: Violation): CheckWarning {
  const at = line.locate(offset ?? 0)
  return {
    rule: rule.name,
    description: rule.description,
    url: ruleUrl(rule.name),
    message,
    file: line.source.file,
    range: line.range,
    at,
    excerpt: excerptOf(line.source, line.range, offset === undefined ? undefined : at),
  }
}

/** The address of the page about a rule such as `JSONArgsRecommended`. */
function ruleUrl(rule: string): string {
  const words = rule.replace(/([a-z])([A-Z])/g, '$1-$2').replace(/([A-Z]+)([A-Z][a-z])/g, '$1-$2')
  return `https://docs.docker.com/go/dockerfile/rule/${words.toLowerCase()}/`
}
