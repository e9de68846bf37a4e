/** A process that loads an archive from its standard input, for tests that kill it in the middle: `… ROOT`. */
import { ImageWorkspace } from './workspace.ts'

const [, , root = ''] = process.argv
await using ws = await ImageWorkspace.open({ root })
console.log('ready')
await ws.images.load(process.stdin, { onProgress: (message) => console.log(JSON.stringify(message)) })
