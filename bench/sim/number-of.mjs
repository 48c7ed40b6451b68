// Numbers of the command line.

/** @throws Error in one line for what is none, or none that is allowed */
export function numberOf(name, text, { least = 0, most = Number.MAX_SAFE_INTEGER, isShare = false } = {}) {
  const value = Number(text)
  if (text === '' || !(value >= least && value <= most) || !(isShare || Number.isInteger(value)))
    throw new Error(`${name} takes a ${isShare ? '' : 'whole '}number from ${least} to ${most}, not «${text}»`)
  return value
}
