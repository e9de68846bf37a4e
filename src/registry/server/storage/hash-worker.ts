/** The thread behind hash-pool.ts. */
import { parentPort } from 'node:worker_threads'
import { FileHasher } from './file-hasher.ts'
import type { HashReply, HashRequest } from './hash-message.ts'

const hasher = new FileHasher()
const idleMs = 30_000

setInterval(() => hasher.closeIdle(), idleMs).unref()

parentPort?.on('message', (request: HashRequest) => {
  if (request.type === 'drop') hasher.drop(request.id)
  else if (request.type === 'advance') hasher.advance(request.target)
  else parentPort?.postMessage(answer(request))
})

function answer({ number, target }: Extract<HashRequest, { type: 'finish' }>): HashReply {
  try {
    return { number, hex: hasher.finish(target) }
  } catch (error) {
    return { number, failure: error instanceof Error ? error.message : String(error) }
  }
}
