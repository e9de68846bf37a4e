export { type Plugin, Plugins } from './plugins.ts'
