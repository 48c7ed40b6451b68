/** What has become of a message at each device that it is not on its way to any more, where its recipient has several. */
import type { DeviceStateView } from '@skein/node/browser'
import { useEffect, useState } from 'react'
import { useClient, useStrings } from '../client/context.tsx'
import { useTimes } from '../ui/times.ts'
import { useRareStrings } from '../ui/use-rare-strings.ts'
import { SHOWN_OF_ID } from './outbox-rows.tsx'

export function DeviceStates({ id }: { readonly id: string }) {
  const { chats, errors } = useStrings()
  const { delivery } = useRareStrings()
  const times = useTimes()
  const known: Readonly<Record<string, string>> = errors
  const devices = useStates(id)
  if (devices.length < 2) return null
  return (
    <ul className="grid grid-cols-1 gap-1 text-sm text-quiet">
      {devices.map(({ device, state, reason, at }) =>
        at === null ? null : (
          <li key={device} className="foreign" data-device-state={state}>
            {delivery.device(device.slice(-SHOWN_OF_ID))}: {chats.states[state]}, {times.whole(at)}
            {reason === null ? '' : `; ${known[reason] ?? reason}`}
          </li>
        ),
      )}
    </ul>
  )
}

function useStates(id: string): readonly DeviceStateView[] {
  const { api } = useClient()
  const [devices, setDevices] = useState<readonly DeviceStateView[]>([])
  useEffect(() => {
    let isOver = false
    void api
      ?.states({ id })
      .then((told) => (isOver ? undefined : setDevices(told.devices)))
      .catch(() => undefined)
    return () => {
      isOver = true
    }
  }, [api, id])
  return devices
}
