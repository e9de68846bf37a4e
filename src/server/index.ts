export { type ApiServer, createServer } from './server.ts'
