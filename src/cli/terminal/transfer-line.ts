/** The line of one layer on a terminal: progress, speed, and the time left. */
import type { ProgressDetail } from '../../api/index.ts'
import { humanSize } from '../format/units.ts'

/** The last report about a layer. */
export interface TransferState {
  readonly id: string
  readonly status: string
  readonly detail: ProgressDetail | undefined
  readonly bytesPerSecond: number | undefined
}

const statusWidth = 13
/** The space reserved behind the bar, so that the bar keeps its width when the numbers change. */
const tailWidth = 40
const minBarWidth = 8
const maxBarWidth = 40
/** Speeds are averages over about this time. Over a shorter one they would jump, over the whole transfer they would
 *  lag. */
const memoryMs = 3_000
const minSampleMs = 200

/** Measures the transfers of one layer, one after the other: the download, then the extraction. */
export class SpeedMeter {
  #status = ''
  #beganMs = 0
  #lastMs = 0
  #lastBytes = 0
  #bytesPerSecond: number | undefined

  /** Takes a report. Gives the speed in bytes per second; undefined until it is known. */
  measure(status: string, bytes: number, nowMs: number): number | undefined {
    if (status !== this.#status || bytes < this.#lastBytes) {
      this.#status = status
      this.#bytesPerSecond = undefined
      this.#beganMs = nowMs
      this.#lastMs = nowMs
      this.#lastBytes = bytes
      return undefined
    }
    const passedMs = nowMs - this.#lastMs
    if (passedMs < minSampleMs) return this.#bytesPerSecond
    const current = ((bytes - this.#lastBytes) * 1000) / passedMs
    // At the beginning, this is the average since the start.
    const weight = Math.min(1, passedMs / Math.min(memoryMs, nowMs - this.#beganMs))
    this.#bytesPerSecond =
      this.#bytesPerSecond === undefined ? current : this.#bytesPerSecond * (1 - weight) + current * weight
    this.#lastMs = nowMs
    this.#lastBytes = bytes
    return this.#bytesPerSecond
  }
}

/** `6661d7527530  Pushing               [####......]  40%  40MB/100MB  35MB/s  2s left`, no wider than the terminal. */
export function formatTransfer({ id, status, detail, bytesPerSecond }: TransferState, columns: number): string {
  const { current = 0, total = 0 } = detail ?? {}
  const head = `${id}  `
  if (current <= 0 && total <= 0) return `${head}${status}`.slice(0, columns - 1)
  const speed = bytesPerSecond === undefined ? '' : `  ${humanSize(bytesPerSecond)}/s`
  if (total <= 0 || current > total) {
    return `${head}${status.padEnd(statusWidth)}  ${amountOf(current, detail)}${speed}`.slice(0, columns - 1)
  }
  const share = current / total
  const left = timeLeft(total - current, bytesPerSecond)
  const numbers = detail?.hidecounts === true ? '' : `  ${amountOf(current, detail)}/${amountOf(total, detail)}`
  const tail = `${String(Math.floor(share * 100)).padStart(4)}%${numbers}${speed}${left}`
  const width = Math.min(maxBarWidth, columns - 1 - head.length - statusWidth - tailWidth - 4)
  const filled = Math.round(share * width)
  const bar = width < minBarWidth ? '' : ` [${'#'.repeat(filled)}${'.'.repeat(width - filled)}]`
  return `${head}${status.padEnd(statusWidth)} ${bar}${tail}`.slice(0, columns - 1)
}

function amountOf(value: number, detail: ProgressDetail | undefined): string {
  const units = detail?.units ?? ''
  return units === '' ? humanSize(value) : `${value} ${units}`
}

function timeLeft(bytes: number, bytesPerSecond: number | undefined): string {
  if (bytesPerSecond === undefined || bytesPerSecond < 1 || bytes <= 0) return ''
  const seconds = Math.ceil(bytes / bytesPerSecond)
  if (seconds < 60) return `  ${seconds}s left`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `  ${minutes}m${String(seconds % 60).padStart(2, '0')}s left`
  return `  ${Math.floor(minutes / 60)}h${String(minutes % 60).padStart(2, '0')}m left`
}
