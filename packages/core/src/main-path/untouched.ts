/** Nobody has read it, or said anything about it. */
export const UNTOUCHED = {
  disappearAt: null,
  editedAt: null,
  deletedAt: null,
  ownReaction: null,
  contactReaction: null,
  seen: true,
} as const
