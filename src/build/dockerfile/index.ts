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
export { exposedPorts } from './instructions/expose-ports.ts'
export { applyFileMode, type FileMode, parseFileMode } from './instructions/file-mode.ts'
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
} from './instructions/instruction.ts'
export type { BindMount, CacheMount, Mount, SecretMount, SshMount, TmpfsMount } from './instructions/mount.ts'
export { type RemoteSource, remoteSource } from './instructions/remote-source.ts'
export {
  type Dockerfile,
  type ParseOptions,
  parseDockerfile,
  parseTriggers,
  type Stage,
} from './parse/parse-dockerfile.ts'
export { absolutePath, cleanPath, copyDestination } from './paths/container-path.ts'
export { type CopyPattern, copyPattern } from './paths/copy-pattern.ts'
export {
  IgnoredDirectory,
  IgnoreMatcher,
  ignoreFileNames,
  parseIgnoreFile,
  plainPatterns,
} from './paths/ignore-file.ts'
export { PathPattern, type PatternState } from './paths/path-pattern.ts'
export { compileSegment, hasWildcard } from './paths/path-segment.ts'
export {
  applyToConfig,
  argumentsOf,
  defaultPath,
  initialImage,
  type StageImage,
  withVariable,
} from './stages/apply-to-config.ts'
export {
  type EvaluatedStage,
  type EvaluateOptions,
  evaluateStage,
  type StageBase,
  type Step,
  scriptDirectory,
} from './stages/evaluate-stage.ts'
export {
  evaluateGlobals,
  evaluationError,
  type GlobalScope,
  platformArguments,
  proxyArguments,
  proxyEnvironment,
  type ScopeOptions,
  unusedBuildArgs,
} from './stages/global-scope.ts'
export { type Outline, outlineOf, type TargetSummary, targetsOf } from './stages/outline.ts'
export { type PlannedStage, type PlanOptions, planStages, type StagePlan } from './stages/plan-stages.ts'
export {
  type ResolvedFrom,
  referencesOf,
  resolveFrom,
  resolveReference,
  type StageSource,
} from './stages/stage-references.ts'
export { environmentOf, runEnvironment, type StageArguments } from './stages/stage-variables.ts'
export { type CheckOptions, parseCheckOptions } from './text/check-options.ts'
export { csvFields, csvPairs } from './text/csv-fields.ts'
export type { Directives, EscapeCharacter } from './text/directives.ts'
export { DockerfileError, excerptOf } from './text/dockerfile-error.ts'
export type { HeredocText, LogicalLine } from './text/logical-line.ts'
export type { Position, SourceRange, SourceText } from './text/source-text.ts'
export type { Word } from './text/words.ts'
export { type ExpandOptions, type Expansion, expandWord, type Lookup } from './words/expand-word.ts'
export { ExpansionError } from './words/expansion-error.ts'
