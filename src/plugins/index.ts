export { type CallOptions, type Plugin, Plugins, type PluginsOptions } from './plugins.ts'
