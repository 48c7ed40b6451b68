import type { MeshView } from '@skein/node/browser'
import { useEffect, useState } from 'react'
import { useClient } from '../client/context.tsx'

/** Between two looks at the mesh, milliseconds. */
const ASK_EVERY_MS = 2_000

/** The mesh as the client sees it, kept up to date while it is shown; `undefined` before the first answer. */
export function useMesh(): MeshView | undefined {
  const { api } = useClient()
  const [mesh, setMesh] = useState<MeshView>()
  useEffect(() => {
    if (api === undefined) return undefined
    let isOver = false
    const ask = async (): Promise<void> => {
      if (document.visibilityState !== 'visible') return
      const found = await api.mesh({ bundles: false }).catch(() => undefined)
      if (!isOver && found !== undefined) setMesh(found)
    }
    void ask()
    const asking = setInterval(() => void ask(), ASK_EVERY_MS)
    return () => {
      isOver = true
      clearInterval(asking)
    }
  }, [api])
  return mesh
}
