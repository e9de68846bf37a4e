export { type ApiListenOptions, type ApiServer, createServer, type ServerOptions } from './server.ts'
