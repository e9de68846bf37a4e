export { BuildkitEndpoint, type SessionBuildRequest } from './buildkit-endpoint.ts'
