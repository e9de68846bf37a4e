export {
  type AccessControl,
  type AccessControlContext,
  type AccessControlOptions,
  type ForeignAccessOptions,
  type OwnTokenOptions,
  openAccessControl,
  type UserAccessOptions,
} from './access-control.ts'
export { type AccessRule, AccessRules, type AccessRulesOptions, type UserRights } from './access-rules.ts'
export { hashPassword } from './password-hash.ts'
export { type TokenAnswer, type TokenRequest, TokenService, type TokenServiceOptions } from './token-service.ts'
export type { UserDirectory } from './user-directory.ts'
