export { createEngine, type Engine } from './engine.ts'
export { type EngineSettings, type OpenEngineOptions, openEngine } from './open-engine.ts'
export type { CloseOptions, EngineOptions } from './opening.ts'
