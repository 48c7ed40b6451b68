// Time, randomness and the platform reach core only through its ports; the compiler cannot forbid `Date.now()`, so this does.
import { codeOnly, isTest, read, sources } from './files.mjs'

const BANS = [
  [/\bDate\.now\b/, 'Date.now', 'the Clock port'],
  [/\bnew\s+Date\s*\(/, 'new Date(', 'the Clock port'],
  [/\bMath\.random\b/, 'Math.random', 'the Random port'],
  [/\bsetTimeout\b/, 'setTimeout', 'the Clock port'],
  [/\bsetInterval\b/, 'setInterval', 'the Clock port'],
  [/\bperformance\.now\b/, 'performance.now', 'the Clock port'],
  [/(?<![\w.$])console\s*\./, 'console', 'the Logger port'],
  [/(?<![\w.$])process\s*\./, 'process', 'an option'],
  [/\bBuffer\b/, 'Buffer', 'Uint8Array'],
]

/** @returns {string[]} problems */
export function coreLint(root) {
  const files = sources(root, 'packages/core/src').filter((file) => !isTest(file))
  return files.flatMap((file) =>
    codeOnly(read(root, file))
      .split('\n')
      .flatMap((line, at) => bansIn(line).map(([, name, instead]) => `${file}:${at + 1} uses ${name}; core takes ${instead} instead.`)),
  )
}

const bansIn = (line) => BANS.filter(([pattern]) => pattern.test(line))
