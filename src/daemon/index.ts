export { type CloseOptions, createEngine, type Engine, type EngineOptions } from './engine.ts'
export { type EngineSettings, type OpenEngineOptions, openEngine } from './open-engine.ts'
