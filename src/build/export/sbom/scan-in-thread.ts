import { type AbortOptions, internal } from '../../../base/index.ts'
import { startWorker } from '../../../sys/index.ts'
import type { ScannedPackages } from './scan-packages.ts'

/** Does what `scanPackages` does, in a worker thread. Rejects with the reason of `signal` when that is aborted, once the
 *  thread has ended: nothing uses `root` any more then. */
export async function scanInThread(root: string, { signal }: AbortOptions = {}): Promise<ScannedPackages> {
  signal?.throwIfAborted()
  const worker = startWorker(new URL('./scan-worker.ts', import.meta.url), { workerData: root })
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  const stop = () => void worker.terminate()
  signal?.addEventListener('abort', stop, { once: true })
  try {
    return await new Promise<ScannedPackages>((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
      worker.once('exit', () => reject(signal?.reason ?? internal('the scan for packages ended without a result')))
    })
  } finally {
    signal?.removeEventListener('abort', stop)
    await ended
  }
}
