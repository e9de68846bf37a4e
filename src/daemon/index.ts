export { type CloseOptions, createEngine, type Engine, type EngineOptions } from './engine.ts'
