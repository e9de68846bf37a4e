/** The code of the worker threads that upload-threads.ts starts. */
import { parentPort } from 'node:worker_threads'
import { BodyFault } from './body-fault.ts'
import { BodyReceiver } from './body-receiver.ts'
import { FileHasher } from './file-hasher.ts'
import type { UploadFailure, UploadReply, UploadRequest } from './upload-message.ts'

type Request<Type> = Extract<UploadRequest, { readonly type: Type }>

const hasher = new FileHasher()
const receivers = new Map<number, BodyReceiver>()
const idleMs = 30_000
/** The main thread gets a report after this many bytes. */
const reportBytes = 2 * 1024 * 1024

setInterval(() => hasher.closeIdle(), idleMs).unref()

parentPort?.on('message', (request: UploadRequest) => {
  switch (request.type) {
    case 'advance':
      hasher.advance(request.target)
      break
    case 'drop':
      hasher.drop(request.id)
      break
    case 'cancel':
      receivers.get(request.number)?.cancel()
      break
    default:
      try {
        if (request.type === 'finish') finish(request)
        else receive(request)
      } catch (error) {
        fail(request.number, error)
      }
  }
})

function finish({ number, target }: Request<'finish'>): void {
  reply({ type: 'hashed', number, hex: hasher.finish(target) })
}

function receive({ number, target, file, source }: Request<'receive'>): void {
  let reported = target.sizeBytes
  const receiver = new BodyReceiver(source, {
    file,
    offset: target.sizeBytes,
    onWritten(pieces, offset) {
      hasher.add({ ...target, sizeBytes: offset }, pieces)
      // The report covers the bytes before these pieces; the pieces are part of the next report.
      if (offset - reported < reportBytes) return
      reported = offset
      reply({ type: 'written', number, fileBytes: offset })
    },
    onEnd(end) {
      reply({ type: 'written', number, fileBytes: target.sizeBytes + end.sizeBytes })
      receivers.delete(number)
      if ('error' in end) fail(number, end.error)
      else reply({ type: 'received', number, bodyBytes: end.sizeBytes, rest: end.rest })
    },
  })
  receivers.set(number, receiver)
  receiver.start()
}

function fail(number: number, error: unknown): void {
  const failure: UploadFailure =
    error instanceof Error
      ? {
          message: error.message,
          code: 'code' in error ? String(error.code) : undefined,
          fault: error instanceof BodyFault ? error.kind : undefined,
        }
      : { message: String(error) }
  reply({ type: 'failed', number, failure })
}

function reply(message: UploadReply): void {
  parentPort?.postMessage(message)
}
