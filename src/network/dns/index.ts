export { serverAddress } from './dns-server.ts'
export { EmbeddedDns } from './embedded-dns.ts'
