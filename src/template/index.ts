export { ExecutionError } from './execution.ts'
export { headerFunctions } from './functions.ts'
export { escapeHtmlInJson, goJson } from './go-json.ts'
export { GoTemplate } from './go-template.ts'
export {
  GoDuration,
  GoFloat,
  GoStruct,
  JsonNumber,
  LazyValue,
  NilCollection,
  NilPointer,
  toGoMaps,
  typeName,
  withType,
} from './go-value.ts'
