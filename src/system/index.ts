export { systemService } from './system-service.ts'
