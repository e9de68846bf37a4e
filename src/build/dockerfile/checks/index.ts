export {
  type CheckDockerfileOptions,
  type CheckResult,
  type CheckWarning,
  checkBasePlatforms,
  checkDockerfile,
  checkFailure,
  checkRules,
  type ForeignBase,
} from './check-dockerfile.ts'
export { baseImagePlatformWarning } from './from-rules.ts'
export type { BaseConfigs } from './stage-facts.ts'
