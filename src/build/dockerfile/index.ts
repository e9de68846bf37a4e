export {
  applyToConfig,
  argumentsOf,
  defaultPath,
  initialImage,
  type StageImage,
  withVariable,
} from './apply-to-config.ts'
export { type CheckOptions, parseCheckOptions } from './check-options.ts'
export {
  type BaseConfigs,
  baseImagePlatformRule,
  baseImagePlatformWarning,
  type CheckDockerfileOptions,
  type CheckResult,
  type CheckWarning,
  checkBasePlatforms,
  checkDockerfile,
  checkFailure,
  checkRules,
  type ForeignBase,
  type Rule,
} from './checks/index.ts'
export { absolutePath, cleanPath, copyDestination } from './container-path.ts'
export { type CopyPattern, copyPattern } from './copy-pattern.ts'
export { csvFields, csvPairs } from './csv-fields.ts'
export type { Directives, EscapeCharacter } from './directives.ts'
export { DockerfileError, excerptOf } from './dockerfile-error.ts'
export {
  type EvaluatedStage,
  type EvaluateOptions,
  evaluateStage,
  type StageBase,
  type Step,
  scriptDirectory,
} from './evaluate-stage.ts'
export { type ExpandOptions, type Expansion, expandWord, type Lookup } from './expand-word.ts'
export { ExpansionError } from './expansion-error.ts'
export { exposedPorts } from './expose-ports.ts'
export { applyFileMode, type FileMode, parseFileMode } from './file-mode.ts'
export {
  evaluateGlobals,
  evaluationError,
  type GlobalScope,
  platformArguments,
  proxyArguments,
  proxyEnvironment,
  type ScopeOptions,
  unusedBuildArgs,
} from './global-scope.ts'
export { IgnoredDirectory, IgnoreMatcher, ignoreFileNames, parseIgnoreFile, plainPatterns } from './ignore-file.ts'
export type {
  AddInstruction,
  ArgInstruction,
  Argument,
  Command,
  CommandInstruction,
  CopyInstruction,
  CopySource,
  FromInstruction,
  HealthcheckInstruction,
  Instruction,
  OnbuildInstruction,
  Pair,
  PairsInstruction,
  RunInstruction,
  Script,
  ShellInstruction,
  TextInstruction,
  WordsInstruction,
} from './instruction.ts'
export type { HeredocText, LogicalLine } from './logical-line.ts'
export type { BindMount, CacheMount, Mount, SecretMount, SshMount, TmpfsMount } from './mount.ts'
export { type Outline, outlineOf, type TargetSummary, targetsOf } from './outline.ts'
export { type Dockerfile, type ParseOptions, parseDockerfile, parseTriggers, type Stage } from './parse-dockerfile.ts'
export { PathPattern, type PatternState } from './path-pattern.ts'
export { compileSegment, hasWildcard } from './path-segment.ts'
export { type PlannedStage, type PlanOptions, planStages, type StagePlan } from './plan-stages.ts'
export { type RemoteSource, remoteSource } from './remote-source.ts'
export type { Position, SourceRange, SourceText } from './source-text.ts'
export { type ResolvedFrom, referencesOf, resolveFrom, resolveReference, type StageSource } from './stage-references.ts'
export { environmentOf, runEnvironment, type StageArguments } from './stage-variables.ts'
export type { Word } from './words.ts'
