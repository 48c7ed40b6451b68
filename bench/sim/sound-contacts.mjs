// Contacts as rows of links that come up and go down once each, whatever a trace repeats, leaves out or lets overlap.

/**
 * @param {object[]} rows `{ tick, a, b, up, bps }` in the order of time
 * @param {number | undefined} usual bytes per second where a row names none
 * @returns the rows at which a link comes up that was not, or goes down and stays so, and how many links are left up
 */
export function soundContacts(rows, usual) {
  const links = new Map()
  const contacts = []
  let linksUp = 0
  for (const row of rows) {
    const changed = change(links, { ...row, a: Math.min(row.a, row.b), b: Math.max(row.a, row.b), bps: row.bps ?? usual })
    if (changed === undefined) continue
    contacts.push(changed)
    linksUp += changed.up ? 1 : -1
  }
  return { contacts, linksUp }
}

/** Contacts of one pair at one speed may overlap: their link lasts until the last of them ends. */
function change(links, row) {
  const pair = `${row.a}-${row.b}`
  const times = links.get(pair) ?? new Map()
  links.set(pair, times)
  const bps = row.up ? row.bps : ended(times, row.bps)
  if (bps === undefined) return undefined
  const before = times.get(bps) ?? 0
  const after = before + (row.up ? 1 : -1)
  if (after > 0) times.set(bps, after)
  else times.delete(bps)
  return before > 0 === after > 0 ? undefined : { ...row, bps }
}

/** The speed of the link that ends; a row that names none that is up means the one that has been longest. */
function ended(times, bps) {
  return times.has(bps) ? bps : times.keys().next().value
}
