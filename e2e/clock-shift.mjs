// Loaded into one process alone by NODE_OPTIONS=--import: its time of day is off by as many milliseconds as the file says.
import { readFileSync } from 'node:fs'

const file = process.env.CHAOS_CLOCK_FILE
const Real = Date
let shift = 0
const look = () => {
  try {
    shift = Number(readFileSync(file, 'utf8')) || 0
  } catch {
    shift = 0
  }
}
look()
setInterval(look, 200).unref()
globalThis.Date = class extends Real {
  constructor(...given) {
    if (given.length === 0) super(Real.now() + shift)
    else super(...given)
  }

  static now() {
    return Real.now() + shift
  }
}
