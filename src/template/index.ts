export { formatGo, goJson, goSprintf } from './go-print.ts'
export { type ExecuteOptions, GoTemplate } from './go-template.ts'
export { headerFunctions } from './go-template-functions.ts'
export { GoStruct, LazyValue, NilCollection, toGoMaps } from './go-value.ts'
