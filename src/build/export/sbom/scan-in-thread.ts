import { type AbortOptions, internal } from '../../../base/index.ts'
import { startWorker } from '../../../sys/index.ts'
import type { ScannedPackages } from './scan-packages.ts'

/** Runs `scanPackages` in a worker thread. When `signal` is aborted, rejects with its reason after the thread has
 *  ended, so nothing uses `root` anymore. */
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
