/** Entry of the worker threads that fetch and unpack layers, one job at a time. */
import { parentPort } from 'node:worker_threads'
import { internal } from '../../base/index.ts'
import type { BlobProblem, BlobRequest } from '../../registry/client/index.ts'
import {
  fromSentError,
  type LayerJob,
  type LayerJobProgress,
  type MessageFromWorker,
  type MessageToWorker,
  toSentError,
} from './layer-job.ts'
import { runLayerJob } from './run-layer-job.ts'

const port = parentPort
if (port === null) throw internal('layer-worker is not a worker thread')

let abort = new AbortController()
let authorization = Promise.withResolvers<BlobRequest | undefined>()
let lastProgressMs = 0

port.on('message', (message: MessageToWorker) => {
  if (message.type === 'cancel') abort.abort()
  else if (message.type === 'authorized') authorization.resolve(message.request)
  else if (message.type === 'notAuthorized') authorization.reject(fromSentError(message.error))
  else void run(message.job)
})

async function run(job: LayerJob): Promise<void> {
  abort = new AbortController()
  lastProgressMs = 0
  try {
    const result = await runLayerJob(job, { authorize, onProgress, signal: abort.signal })
    send({ type: 'done', result })
  } catch (error) {
    send({ type: 'failed', error: toSentError(error) })
  }
}

function authorize(problem?: BlobProblem): Promise<BlobRequest | undefined> {
  authorization = Promise.withResolvers<BlobRequest | undefined>()
  send({ type: 'authorize', problem })
  return authorization.promise
}

/** Sends at most ten messages a second, because each one wakes the main thread. */
function onProgress(progress: LayerJobProgress): void {
  const nowMs = performance.now()
  const isBar = progress.phase === 'download' || progress.phase === 'extract'
  if (isBar && progress.current < progress.total && nowMs - lastProgressMs < 100) return
  lastProgressMs = nowMs
  send({ type: 'progress', progress })
}

function send(message: MessageFromWorker): void {
  port?.postMessage(message)
}
