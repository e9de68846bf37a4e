export { BuildkitEndpoint } from './buildkit-endpoint.ts'
