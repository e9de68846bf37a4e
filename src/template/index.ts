export { type ExecuteOptions, ExecutionError } from './execution.ts'
export { headerFunctions } from './functions.ts'
export { escapeHtmlInJson, goJson } from './go-json.ts'
export { formatGo } from './go-print.ts'
export { goSprintf } from './go-sprintf.ts'
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
