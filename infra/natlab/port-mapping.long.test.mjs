import { expect, it } from 'vitest'
import { natlab, whyNot } from './natlab-process.mjs'

const unavailable = await whyNot({ delay: 10 })

it.skipIf(unavailable)(
  '[PM4] a real router opens a port by PCP, and by UPnP, for who could not be reached otherwise, and has it back at the end',
  async () => {
    const { routers, ...counts } = await natlab('--scenario', 'port-mapping')
    expect(counts).toMatchObject({ lost: 0, doubled: 0 })
    const opened = { path: 'mapped', direct: true, given_back: true }
    expect(routers).toMatchObject([
      { by: 'pcp', ...opened },
      { by: 'upnp', ...opened },
    ])
  },
)
