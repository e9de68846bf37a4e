/** A process that pulls one image into a workspace, for tests that kill it in the middle: `… ROOT REFERENCE`. */
import { ImageWorkspace } from './workspace.ts'

const [, , root = '', reference = ''] = process.argv
await using ws = await ImageWorkspace.open({ root })
await ws.images.pull(reference, { onProgress: (message) => console.log(JSON.stringify(message)) })
