export { type ClientSettings, defaultHost, loadClientSettings } from './client-config.ts'
export {
  ContextStore,
  type ContextTls,
  checkContextName,
  type DockerEndpoint,
  defaultContextName,
  parseContext,
  type StoredContext,
  type TlsFileName,
  tlsFileNames,
} from './context-store.ts'
export { Credentials, hostOfServer, hubServer, type RunProgram, type StoredCredentials } from './credentials.ts'
export { editClientFile } from './edit-client-file.ts'
