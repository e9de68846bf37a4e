/** Compares names. Numbers in them count by their value: `web2` comes before `web10`. */
export function naturalOrder(left: string, right: string): number {
  const leftParts = left.match(/\d+|\D+/g) ?? []
  const rightParts = right.match(/\d+|\D+/g) ?? []
  for (let index = 0; index < Math.min(leftParts.length, rightParts.length); index++) {
    const order = compareParts(leftParts[index] ?? '', rightParts[index] ?? '')
    if (order !== 0) return order
  }
  return leftParts.length - rightParts.length
}

function compareParts(left: string, right: string): number {
  if (left === right) return 0
  if (!/^\d/.test(left) || !/^\d/.test(right)) return left < right ? -1 : 1
  const [leftDigits, rightDigits] = [left.replace(/^0+/, ''), right.replace(/^0+/, '')]
  if (leftDigits.length !== rightDigits.length) return leftDigits.length - rightDigits.length
  if (leftDigits !== rightDigits) return leftDigits < rightDigits ? -1 : 1
  return left.length - right.length
}
