/** @returns whether there is one */
export function ensurePebble(): boolean
