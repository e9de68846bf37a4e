export {
  type BaseConfigs,
  baseImagePlatformWarning,
  type CheckDockerfileOptions,
  type CheckResult,
  type CheckWarning,
  checkBasePlatforms,
  checkDockerfile,
  checkFailure,
  checkRules,
  type ForeignBase,
} from './checks/index.ts'
export { exposedPorts } from './instructions/expose-ports.ts'
export { applyFileMode, type FileMode, parseFileMode } from './instructions/file-mode.ts'
export type {
  AddInstruction,
  CopyInstruction,
  CopySource,
  Instruction,
  RunInstruction,
} from './instructions/instruction.ts'
export type { BindMount, CacheMount, Mount, SecretMount, SshMount } from './instructions/mount.ts'
export { type RemoteSource, remoteSource } from './instructions/remote-source.ts'
export { type Dockerfile, parseDockerfile, parseTriggers, type Stage } from './parse/parse-dockerfile.ts'
export { absolutePath, cleanPath, copyDestination } from './paths/container-path.ts'
export { copyPattern } from './paths/copy-pattern.ts'
export {
  IgnoredDirectory,
  IgnoreMatcher,
  ignoreFileNames,
  parseIgnoreFile,
  plainPatterns,
} from './paths/ignore-file.ts'
export { PathPattern, type PatternState } from './paths/path-pattern.ts'
export { compileSegment } from './paths/path-segment.ts'
export { applyToConfig, argumentsOf, initialImage, type StageImage } from './stages/apply-to-config.ts'
export { type EvaluatedStage, evaluateStage, type Step, scriptDirectory } from './stages/evaluate-stage.ts'
export {
  evaluateGlobals,
  evaluationError,
  type GlobalScope,
  proxyArguments,
  proxyEnvironment,
  type ScopeOptions,
  unusedBuildArgs,
} from './stages/global-scope.ts'
export { type Outline, outlineOf, type TargetSummary, targetsOf } from './stages/outline.ts'
export { type PlannedStage, type PlanOptions, planStages, type StagePlan } from './stages/plan-stages.ts'
export { resolveReference } from './stages/stage-references.ts'
export { csvFields, csvPairs } from './text/csv-fields.ts'
export { DockerfileError, excerptOf } from './text/dockerfile-error.ts'
export type { LogicalLine } from './text/logical-line.ts'
export type { SourceRange } from './text/source-text.ts'
