/** Results for people: names and values, one a line; lists indented. With `--json` one object instead. */

export function present(result: Readonly<Record<string, unknown>>, json: boolean): void {
  process.stdout.write(json ? `${JSON.stringify(result)}\n` : `${lines(result, '').join('\n')}\n`)
}

function lines(value: Readonly<Record<string, unknown>>, indent: string): string[] {
  return Object.entries(value).flatMap(([name, each]) => line(name, each, indent))
}

function line(name: string, value: unknown, indent: string): string[] {
  if (Array.isArray(value)) {
    if (value.length === 0) return [`${indent}${name}: none`]
    return [`${indent}${name}:`, ...value.map((each: unknown) => `${indent}  ${flat(each)}`)]
  }
  if (typeof value === 'object' && value !== null) return [`${indent}${name}:`, ...lines(value as Record<string, unknown>, `${indent}  `)]
  return [`${indent}${name}: ${flat(value)}`]
}

function flat(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value ?? '–')
  return Object.entries(value)
    .map(([name, each]) => `${name} ${flat(each)}`)
    .join(', ')
}
