export { EventBus } from './event-bus.ts'
export { matchesEvent } from './event-filter.ts'
