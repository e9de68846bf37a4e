export {
  type ClientFile,
  type ClientFlags,
  type ClientProxies,
  type ClientSettings,
  type ClientTls,
  defaultHost,
  loadClientSettings,
} from './client-config.ts'
export { Credentials, hostOfServer, hubServer, type RunProgram, type StoredCredentials } from './credentials.ts'
