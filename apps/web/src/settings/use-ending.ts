import { useEffect, useRef } from 'react'

/** Ends with the component: whoever looks away wants no new device. @returns begins anew, and ends what was begun before */
export function useEnding(): () => AbortSignal {
  const current = useRef<AbortController>(undefined)
  useEffect(() => () => current.current?.abort(), [])
  return () => {
    current.current?.abort()
    current.current = new AbortController()
    return current.current.signal
  }
}
