export type { ProxyOptions } from './proxy-options.ts'
export { PullThroughCache } from './pull-through-cache.ts'
