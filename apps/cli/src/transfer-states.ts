import type { TransferView } from '@skein/node/api'

const FINAL: readonly TransferView['state'][] = ['done', 'failed', 'cancelled']

/** Nothing more becomes of it. */
export const isFinal = ({ state }: Pick<TransferView, 'state'>): boolean => FINAL.includes(state)
