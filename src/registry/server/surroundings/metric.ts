/** Counters, gauges and histograms in the text format of Prometheus.
 *  https://prometheus.io/docs/instrumenting/exposition_formats/ */

/** Labels of a series. All series of a metric have the same labels in the same order. */
export type Labels = Readonly<Record<string, string | number>>

/** A metric of any type. */
export interface Metric {
  /** Its lines, each ending with a line feed. */
  render(): string
}

/** A counter or gauge, with one value for each set of labels. */
export class ValueMetric implements Metric {
  readonly #head: string
  readonly #name: string
  readonly #series = new Map<string, number>()

  constructor(type: 'counter' | 'gauge', name: string, help: string) {
    this.#name = name
    this.#head = headOf(type, name, help)
  }

  /** Adds to a series, which begins at 0. */
  add(amount: number, labels: Labels = {}): void {
    const key = formatLabels(labels)
    this.#series.set(key, (this.#series.get(key) ?? 0) + amount)
  }

  /** Sets a series. */
  set(value: number, labels: Labels = {}): void {
    this.#series.set(formatLabels(labels), value)
  }

  render(): string {
    return this.#head + [...this.#series].map(([labels, value]) => `${this.#name}${labels} ${value}\n`).join('')
  }
}

interface Buckets {
  readonly labels: Labels
  readonly counts: number[]
  count: number
  sum: number
}

/** A histogram for each set of labels: it counts the values up to each limit. */
export class HistogramMetric implements Metric {
  readonly #head: string
  readonly #name: string
  readonly #limits: readonly number[]
  readonly #series = new Map<string, Buckets>()

  /** `limits` are in ascending order. */
  constructor(name: string, help: string, limits: readonly number[]) {
    this.#name = name
    this.#limits = limits
    this.#head = headOf('histogram', name, help)
  }

  observe(value: number, labels: Labels = {}): void {
    const key = formatLabels(labels)
    const buckets = this.#series.get(key) ?? { labels, counts: this.#limits.map(() => 0), count: 0, sum: 0 }
    this.#series.set(key, buckets)
    const index = this.#limits.findIndex((limit) => value <= limit)
    if (index !== -1) buckets.counts[index] = (buckets.counts[index] ?? 0) + 1
    buckets.count += 1
    buckets.sum += value
  }

  render(): string {
    const lines = [...this.#series.values()].flatMap(({ labels, counts, count, sum }) => {
      let below = 0
      const limits = this.#limits.map((limit, index) => {
        below += counts[index] ?? 0
        return this.#line('_bucket', { ...labels, le: limit }, below)
      })
      return [
        ...limits,
        this.#line('_bucket', { ...labels, le: '+Inf' }, count),
        this.#line('_sum', labels, sum),
        this.#line('_count', labels, count),
      ]
    })
    return this.#head + lines.join('')
  }

  #line(suffix: string, labels: Labels, value: number): string {
    return `${this.#name}${suffix}${formatLabels(labels)} ${value}\n`
  }
}

function headOf(type: string, name: string, help: string): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`
}

function formatLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeValue(String(value))}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function escapeValue(text: string): string {
  return text.replace(/[\\"\n]/g, (char) => (char === '\n' ? '\\n' : `\\${char}`))
}
