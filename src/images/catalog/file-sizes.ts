/** Sizes in the form of Docker's progress messages: powers of 1000, four significant digits. */
const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']

/** A number of bytes as text: `1.5MB`, `12.35MB`, `532B`. */
export function humanSize(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit += 1
  }
  return `${Number(value.toPrecision(4))}${units[unit]}`
}

/** A progress bar for clients that draw none themselves: `[=====>    ]  1.5MB/3MB`. */
export function progressBar(current: number, total: number): string {
  const currentText = humanSize(current).padStart(8)
  if (total <= 0 || current > total) return currentText
  const filled = Math.floor((current / total) * 50)
  const bar = filled >= 50 ? `${'='.repeat(50)}>` : `${'='.repeat(filled)}>${' '.repeat(50 - filled)}`
  return `[${bar}] ${currentText}/${humanSize(total)}`
}
