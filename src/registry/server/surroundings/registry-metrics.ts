/** Metrics of the registry, at `/metrics`. */
import { cpuUsage, memoryUsage, uptime } from 'node:process'
import type { ExtensionAnswer, ExtensionRequest, RegistryExtension } from '../model/registry-extension.ts'
import type { GarbageReport, ManifestUse, RegistryObserver, RequestRecord } from '../model/registry-observer.ts'
import type { RegistryStorage } from '../storage/registry-storage.ts'
import { readOnly } from './extension-answers.ts'
import { HistogramMetric, type Metric, ValueMetric } from './metric.ts'

const knownMethods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
const secondsLimits = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]

/** Counts the reports that it gets as an observer, and answers `/metrics` as an extension. */
export class RegistryMetrics implements RegistryObserver, RegistryExtension {
  readonly paths = ['/metrics']
  readonly #storage: Pick<RegistryStorage, 'check'>
  readonly #requests = new ValueMetric('counter', 'berth_registry_requests_total', 'Requests that were answered.')
  readonly #seconds = new HistogramMetric(
    'berth_registry_request_duration_seconds',
    'Time from the head of a request to the end of its answer.',
    secondsLimits,
  )
  readonly #received = new ValueMetric('counter', 'berth_registry_received_bytes_total', "Bytes of requests' bodies.")
  readonly #sent = new ValueMetric('counter', 'berth_registry_sent_bytes_total', "Bytes of answers' bodies.")
  readonly #running = new ValueMetric('gauge', 'berth_registry_requests_in_progress', 'Requests under way.')
  readonly #uploads = new ValueMetric('gauge', 'berth_registry_uploads_in_progress', 'Requests that send to uploads.')
  readonly #manifests = new ValueMetric('counter', 'berth_registry_manifests_total', 'Manifests put, fetched, deleted.')
  readonly #collections = new ValueMetric('counter', 'berth_registry_gc_runs_total', 'Garbage collections.')
  readonly #freed = new ValueMetric('counter', 'berth_registry_gc_freed_bytes_total', 'Bytes that they freed.')
  readonly #storageUp = new ValueMetric('gauge', 'berth_registry_storage_up', 'Whether the storage can be used.')
  readonly #cpu = new ValueMetric('counter', 'process_cpu_seconds_total', 'Processor time of the process.')
  readonly #memory = new ValueMetric('gauge', 'process_resident_memory_bytes', 'Memory of the process.')
  readonly #started = new ValueMetric('gauge', 'process_start_time_seconds', 'When it started, in seconds since 1970.')

  constructor(storage: Pick<RegistryStorage, 'check'>) {
    this.#storage = storage
    this.#started.set(Math.round(Date.now() / 1000 - uptime()))
    // These series exist from the beginning, with the value 0.
    for (const metric of [this.#running, this.#uploads, this.#collections, this.#freed]) metric.set(0)
  }

  requestStarted(): void {
    this.#running.add(1)
  }

  requestFinished({ method, route, status, durationMs, receivedBytes, sentBytes }: RequestRecord): void {
    const labels = { method: knownMethods.has(method) ? method : 'other', route }
    this.#running.add(-1)
    this.#requests.add(1, { ...labels, status })
    this.#seconds.observe(durationMs / 1000, labels)
    this.#received.add(receivedBytes, labels)
    this.#sent.add(sentBytes, labels)
  }

  uploadsChanged(active: number): void {
    this.#uploads.set(active)
  }

  manifestUsed({ action }: ManifestUse): void {
    this.#manifests.add(1, { action })
  }

  garbageCollected({ isDryRun, bytesFreed }: GarbageReport): void {
    if (isDryRun) return
    this.#collections.add(1)
    this.#freed.add(bytesFreed)
  }

  async answer({ method }: ExtensionRequest): Promise<ExtensionAnswer> {
    if (!readOnly(method)) return { status: 405, headers: { Allow: 'GET, HEAD' } }
    // The reason of a failure is reported by `/healthz`.
    this.#storageUp.set(await this.#storage.check().then(() => 1, () => 0)) // biome-ignore format: one line
    const { user, system } = cpuUsage()
    this.#cpu.set((user + system) / 1e6)
    this.#memory.set(memoryUsage.rss())
    return {
      status: 200,
      headers: { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8', 'Cache-Control': 'no-store' },
      body: this.#all.map((metric) => metric.render()).join(''),
    }
  }

  get #all(): readonly Metric[] {
    return [
      this.#requests,
      this.#seconds,
      this.#received,
      this.#sent,
      this.#running,
      this.#uploads,
      this.#manifests,
      this.#collections,
      this.#freed,
      this.#storageUp,
      this.#cpu,
      this.#memory,
      this.#started,
    ]
  }
}
