/** Rules about the base images of stages. */
import { isBerthError } from '../../../base/index.ts'
import { formatPlatform, type Platform, parseReference } from '../../../oci/index.ts'
import type { Dockerfile, Stage } from '../parse/parse-dockerfile.ts'
import { evaluateGlobals } from '../stages/global-scope.ts'
import { resolveFrom } from '../stages/stage-references.ts'
import { didYouMean } from '../text/suggest.ts'
import type { Rule } from './rule.ts'

/** Rules about FROM. */
export const fromRules: readonly Rule[] = [
  {
    name: 'UndefinedArgInFrom',
    description: 'FROM command must use declared ARGs',
    find: ({ stages, scope }) =>
      stages.flatMap(({ stage, from }) =>
        from.undefinedNames
          .filter((name) => !scope.declared.has(name))
          .map((name) => ({
            line: stage.from.line,
            message: `FROM argument '${name}' is not declared${didYouMean(name, scope.declared)}`,
          })),
      ),
  },
  {
    name: 'RedundantTargetPlatform',
    description: 'Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior',
    find: ({ dockerfile }) =>
      dockerfile.stages.flatMap(({ from }) => {
        const platform = from.platform
        if (platform === undefined || !/^(?:\$TARGETPLATFORM|\$\{TARGETPLATFORM\})$/.test(platform.text)) return []
        const message = `Setting platform to predefined ${platform.text} in FROM is redundant as this is the default behavior`
        return [{ line: from.line, message, offset: platform.offset }]
      }),
  },
  {
    name: 'InvalidDefaultArgInFrom',
    description: 'Default value for global ARG results in an empty or invalid base image name',
    find: ({ dockerfile }) =>
      dockerfile.stages
        .filter((stage) => stage.from.image.text.includes('$') && !isBuildableByDefault(dockerfile, stage))
        .map(({ from }) => ({
          line: from.line,
          message: `Default value for ARG ${from.image.text} results in empty or invalid base image name`,
          offset: from.image.offset,
        })),
  },
  {
    name: 'FromPlatformFlagConstDisallowed',
    description: 'FROM --platform flag should not use a constant value',
    find: ({ stages }) =>
      stages.flatMap(({ stage, from }) => {
        const flag = stage.from.platform
        if (flag === undefined || flag.text.includes('$') || isNamedFor(stage, from.platform)) return []
        const message = `FROM --platform flag should not use constant value "${flag.text}"`
        return [{ line: stage.from.line, message, offset: flag.offset }]
      }),
  },
]

/** The warning for a base image whose platform is not the one the build wants. It can only be found once the image is
 *  known. */
export function baseImagePlatformWarning(name: string, pulled: Platform, expected: Platform): string {
  return `Base image ${name} was pulled with platform "${formatPlatform(pulled)}", expected "${formatPlatform(expected)}" for current build`
}

/** The rule of `baseImagePlatformWarning`. */
export const baseImagePlatformRule = {
  name: 'InvalidBaseImagePlatform',
  description: 'Base image platform does not match expected target platform',
} as const

function isBuildableByDefault(dockerfile: Dockerfile, stage: Stage): boolean {
  try {
    const { base } = resolveFrom(dockerfile, stage, evaluateGlobals(dockerfile))
    if (base.kind === 'external') parseReference(base.name)
    return true
  } catch (error) {
    if (isBerthError(error)) return false
    throw error
  }
}

/** True when the stage's name contains the platform, which shows that a fixed platform is intended. */
function isNamedFor(stage: Stage, platform: Platform | undefined): boolean {
  const name = stage.name ?? ''
  const words = platform === undefined ? [] : [platform.os, platform.architecture]
  return words.some((word) => name.includes(word))
}
