export { type SystemParts, systemService } from './system-service.ts'
