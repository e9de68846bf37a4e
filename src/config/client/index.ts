export {
  type ClientFile,
  type ClientFlags,
  type ClientSettings,
  type ClientTls,
  defaultHost,
  loadClientSettings,
} from './client-config.ts'
