export { S3Error } from './errors.ts'
export { type Fault, S3Server, type S3ServerOptions } from './server.ts'
